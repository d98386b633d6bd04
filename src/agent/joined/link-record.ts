import type { LinkStanding, RegionServers } from '../../api/index.ts';
import type { Clock } from '../../lib/index.ts';
import type { Candidate } from './servers.ts';

type Followed = Omit<RegionServers, 'current'> & { readonly current: Candidate | null };

/** Keeps which server an agent is linked to since when, or since when it is cut off. */
export class LinkRecord implements Disposable {
  readonly #servers: Followed;
  readonly #clock: Clock;
  readonly #stop: () => void;
  #url: string | null;
  #since: string;
  #sinceMs: number;

  constructor(servers: Followed, clock: Clock) {
    this.#servers = servers;
    this.#clock = clock;
    this.#url = servers.current?.url ?? null;
    this.#since = new Date(clock.wall()).toISOString();
    this.#sinceMs = clock.now();
    this.#stop = servers.onChange(() => this.#changed());
  }

  standing(): LinkStanding {
    const isCutOff = this.#url === null;
    return {
      server: this.#servers.current?.name ?? null,
      url: this.#url,
      since: this.#since,
      cutOffSince: isCutOff ? this.#since : null,
      known: this.#servers.candidates.length,
      lastContactMs: isCutOff ? this.#clock.now() - this.#sinceMs : 0,
    };
  }

  [Symbol.dispose](): void {
    this.#stop();
  }

  #changed(): void {
    const url = this.#servers.current?.url ?? null;
    if (url === this.#url) return;
    this.#url = url;
    this.#since = new Date(this.#clock.wall()).toISOString();
    this.#sinceMs = this.#clock.now();
  }
}
