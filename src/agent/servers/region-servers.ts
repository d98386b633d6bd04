import type { KnownServer } from '../../link/index.ts';
import { SERVERS_TOPIC, type Feed, type KnownServers, type ServerRecord } from '../../registry/index.ts';
import type { Duties } from '../../store/index.ts';
import { bracketed } from '../own-address.ts';
import { ServerPresence, type ServerPresenceOptions } from './server-presence.ts';

/** Who has it is Consul's leader. */
export const LEADER_DUTY = 'leader';

export interface RegionServersOptions extends ServerPresenceOptions {
  readonly feed: Pick<Feed, 'onApplied'>;
  readonly known: KnownServers;
  readonly duties: Duties;
}

/** The servers of the region as this one knows them, itself among them. */
export class RegionServers implements AsyncDisposable {
  readonly #options: RegionServersOptions;
  readonly #presence: ServerPresence;
  readonly #listeners = new Set<() => void>();
  readonly #stop: () => void;

  /** @throws AGENT_SERVER_NAME_TAKEN */
  static async start(options: RegionServersOptions): Promise<RegionServers> {
    options.duties.duty(LEADER_DUTY);
    return new RegionServers(options, await ServerPresence.start(options));
  }

  private constructor(options: RegionServersOptions, presence: ServerPresence) {
    this.#options = options;
    this.#presence = presence;
    this.#stop = options.feed.onApplied(({ topics }) => {
      if (topics.has(SERVERS_TOPIC)) this.#changed();
    });
  }

  /** This server, as it says of itself. */
  get self(): ServerRecord {
    return this.#presence.record;
  }

  /** Whether the others certainly know that this one runs. */
  get isKnown(): boolean {
    return this.#presence.stands;
  }

  /** Those that run, in order of name; this one always. */
  list(): readonly ServerRecord[] {
    const others = this.#options.known.list().filter(({ name }) => name !== this.self.name);
    return [...others, this.self].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Those that nodes can link to, with where. */
  reachable(): readonly KnownServer[] {
    return this.list()
      .filter(({ httpPort }) => httpPort > 0)
      .map(({ name, address, httpPort }) => ({ name, url: `http://${bracketed(address)}:${httpPort}` }));
  }

  /** The server that leads in Consul's sense; null while none does, or it is not known which. */
  leader(): ServerRecord | null {
    const name = this.#options.duties.holder(LEADER_DUTY);
    return this.list().find((server) => server.name === name) ?? null;
  }

  /** Called when another server runs, or one does no more, or is reached elsewhere. Returns how to end that. */
  onChange(listen: () => void): () => void {
    const listener = (): void => listen();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Says to the others where this one answers. */
  async announce(at: { readonly address: string; readonly httpPort: number }): Promise<void> {
    await this.#presence.announce(at);
    this.#changed();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    this.#listeners.clear();
    await this.#presence[Symbol.asyncDispose]();
  }

  #changed(): void {
    this.#presence.check(this.#options.known.get(this.self.name));
    for (const listen of this.#listeners) listen();
  }
}
