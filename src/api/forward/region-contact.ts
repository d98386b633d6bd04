import type { Clock } from '../../lib/index.ts';
import type { RegionServers } from './region-servers.ts';

/** A server that gave no answer is not asked again for so long, unless the link says that it is there. */
const SHUNNED_MS = 1_000;

/** Which servers a request goes to, in order, and how long none was heard of. */
export class RegionContact implements Disposable {
  readonly #servers: RegionServers;
  readonly #clock: Clock;
  readonly #lostAtMs = new Map<string, number>();
  readonly #waiting = new Set<() => void>();
  readonly #stop: () => void;
  #heardMs: number;
  #wasLinked: boolean;

  constructor(servers: RegionServers, clock: Clock) {
    this.#servers = servers;
    this.#clock = clock;
    this.#heardMs = clock.now();
    this.#wasLinked = servers.current !== null;
    this.#stop = servers.onChange(() => this.#changed());
  }

  /** Where the linked server answers; null while there is none. */
  get linked(): string | null {
    return this.#servers.current?.url ?? null;
  }

  /** Monotonic ms since a server was heard of. */
  get lastContactMs(): number {
    return this.linked === null ? this.#clock.now() - this.#heardMs : 0;
  }

  /** Origins to ask, the linked one first; without it those that have not failed just now. What never was linked may be anybody. */
  order(): readonly string[] {
    const nowMs = this.#clock.now();
    const isShunned = (url: string): boolean =>
      nowMs - (this.#lostAtMs.get(url) ?? Number.NEGATIVE_INFINITY) < SHUNNED_MS;
    const others = this.#servers.candidates
      .filter(({ name }) => name !== null)
      .map(({ url }) => url)
      .filter((url) => url !== this.linked && !isShunned(url));
    return this.linked === null ? others : [this.linked, ...others];
  }

  heard(url: string): void {
    this.#lostAtMs.delete(url);
    this.#heardMs = this.#clock.now();
  }

  lost(url: string): void {
    this.#lostAtMs.set(url, this.#clock.now());
  }

  /** Calls `listen` once, when the servers or the link to them became another; the answer ends it. */
  onceChanged(listen: () => void): () => void {
    this.#waiting.add(listen);
    return () => void this.#waiting.delete(listen);
  }

  [Symbol.dispose](): void {
    this.#stop();
    this.#waiting.clear();
  }

  #changed(): void {
    // The link that was there until now was heard of until now.
    if (this.#wasLinked) this.#heardMs = this.#clock.now();
    if (this.linked !== null) this.heard(this.linked);
    this.#wasLinked = this.linked !== null;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const listen of waiting) listen();
  }
}
