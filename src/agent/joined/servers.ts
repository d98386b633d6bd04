import path from 'node:path';
import { Backoff, ensureDirectory, messageOf, openState, saveState, type Clock } from '../../lib/index.ts';
import type { KnownServer } from '../../link/index.ts';
import { serverUrl } from './server-url.ts';

export interface JoinedServersOptions {
  /** Servers as the operator names them: `HOST`, `HOST:PORT` or a URL. */
  readonly join: readonly string[];
  /** Where the servers that were told are remembered over restarts (`servers.json`). */
  readonly directory: string;
  /** A server that could not be reached is tried again after this long, then ever later, up to `retryMostMs`. */
  readonly retryFirstMs: number;
  readonly retryMostMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly warn: (text: string) => void;
}

/** A server that can be linked to. */
export interface Candidate {
  /** Its origin: `http://10.0.0.1:8500`. */
  readonly url: string;
  /** null until it has said its name. */
  readonly name: string | null;
}

/** Which server to try next, and in how many ms: 0 unless every one has failed just now. */
export interface Choice {
  readonly candidate: Candidate;
  readonly waitMs: number;
}

interface Known {
  readonly url: string;
  name: string | null;
  /** Of `--join`: never forgotten. */
  readonly isConfigured: boolean;
  readonly backoff: Backoff;
  /** Monotonic ms before which it is not tried. */
  notBeforeMs: number;
  /** How many links of this agent's nodes are to it, and since when there is one. */
  links: number;
  linkedAtMs: number;
}

/**
 * The servers of the region as an agent without one of its own knows them: those it was told to join, and those that servers
 * named since, also over restarts. Links and HTTP forwarding of all its nodes go to one of them, `current`, as long as it is there.
 */
export class JoinedServers implements AsyncDisposable {
  readonly #options: JoinedServersOptions;
  readonly #file: string;
  /** By URL. */
  readonly #known = new Map<string, Known>();
  readonly #listeners = new Set<() => void>();
  #current: Known | null = null;
  #saving: Promise<void> = Promise.resolve();

  /** Reads what was remembered; what is damaged is put aside and reported through `warn`. @throws AGENT_SERVER_NAME */
  static async open(options: JoinedServersOptions): Promise<JoinedServers> {
    await ensureDirectory(options.directory);
    const servers = new JoinedServers(options);
    for (const text of options.join) servers.#add(serverUrl(text), null, true);
    const { value, damaged } = await openState(servers.#file, parseRemembered);
    if (damaged !== undefined)
      options.warn(`the list of servers was damaged (${damaged.reason}); kept as ${damaged.keptAs}`);
    for (const { name, url } of value ?? []) servers.#add(url, name, false);
    return servers;
  }

  private constructor(options: JoinedServersOptions) {
    this.#options = options;
    this.#file = path.join(options.directory, 'servers.json');
  }

  /** The server that links are to and HTTP is forwarded to; null while the agent is cut off. */
  get current(): Candidate | null {
    return this.#current;
  }

  /** All that are known, the configured ones first. */
  get candidates(): readonly Candidate[] {
    return [...this.#known.values()];
  }

  /** Called when `current` or `candidates` became another; the answer ends it. */
  onChange(listen: () => void): () => void {
    const listener = (): void => listen();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Which server a link should go to: the current one, else a random one of those that have not failed just now; null: none is known. */
  choose(): Choice | null {
    if (this.#current !== null) return { candidate: this.#current, waitMs: 0 };
    const nowMs = this.#options.clock.now();
    const all = [...this.#known.values()];
    const ready = all.filter((one) => one.notBeforeMs <= nowMs);
    const picked = ready[Math.floor(this.#options.random() * ready.length)];
    if (picked !== undefined) return { candidate: picked, waitMs: 0 };
    const soonest = all.toSorted((a, b) => a.notBeforeMs - b.notBeforeMs)[0];
    return soonest === undefined ? null : { candidate: soonest, waitMs: soonest.notBeforeMs - nowMs };
  }

  /** A node is linked to this server, which said its name. */
  linked(url: string, name: string): void {
    const known = this.#known.get(url);
    if (known === undefined) return;
    known.name = name;
    known.notBeforeMs = 0;
    if (known.links++ === 0) known.linkedAtMs = this.#options.clock.now();
    this.#current ??= known;
    this.#tell();
  }

  /** A node's link to this server ended: another one is tried first. */
  lost(url: string): void {
    const known = this.#known.get(url);
    if (known === undefined || known.links === 0) return;
    known.links--;
    // One that takes links and drops them at once is not asked ever again as if it were well.
    if (this.#options.clock.now() - known.linkedAtMs >= this.#options.retryMostMs) known.backoff.reset();
    this.failed(url);
  }

  /** No link could be made to this server: others come first, and it is tried again later each time. */
  failed(url: string): void {
    const known = this.#known.get(url);
    if (known === undefined) return;
    known.notBeforeMs = this.#options.clock.now() + known.backoff.next();
    if (this.#current !== known) return;
    this.#current = [...this.#known.values()].find((one) => one !== known && one.links > 0) ?? null;
    this.#tell();
  }

  /** A server named all that there are; those of before that are neither among them nor configured nor linked are forgotten. */
  told(said: readonly KnownServer[]): void {
    const servers = said.slice(0, MOST_TOLD).flatMap(usable);
    if (servers.length === 0) return;
    const urls = new Set(servers.map(({ url }) => url));
    for (const known of this.#known.values())
      if (!urls.has(known.url) && !known.isConfigured && known.links === 0) this.#known.delete(known.url);
    for (const { name, url } of servers) this.#add(url, name, false);
    this.#save(servers);
    this.#tell();
  }

  /** Resolves when what is remembered is in its file. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await this.#saving;
  }

  #add(url: string, name: string | null, isConfigured: boolean): void {
    const known = this.#known.get(url);
    if (known !== undefined) {
      known.name = name ?? known.name;
      return;
    }
    const { retryFirstMs: firstMs, retryMostMs: mostMs } = this.#options;
    const backoff = new Backoff({ firstMs, mostMs });
    this.#known.set(url, { url, name, isConfigured, backoff, notBeforeMs: 0, links: 0, linkedAtMs: 0 });
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Never rejects: an agent without a disk goes on, and says so. */
  #save(servers: readonly KnownServer[]): void {
    this.#saving = this.#saving
      .then(() => saveState(this.#file, { version: 1, servers }, { durable: false }))
      .catch((error: unknown) => this.#options.warn(`cannot keep the list of servers: ${messageOf(error)}`));
  }
}

/** More servers than any region has. */
const MOST_TOLD = 1_000;

/** With its origin as its URL; none for what is no server's: its word must not make requests to all others fail. */
function usable({ name, url }: KnownServer): KnownServer[] {
  const { protocol, origin, pathname } = URL.parse(String(url)) ?? {};
  const isOrigin = (protocol === 'http:' || protocol === 'https:') && pathname === '/';
  return isOrigin && typeof name === 'string' ? [{ name, url: origin as string }] : [];
}

function parseRemembered(value: unknown): readonly KnownServer[] {
  const { version, servers } = value as { version: unknown; servers: readonly KnownServer[] };
  if (version !== 1) throw new Error(`unknown version ${String(version)}`);
  if (!Array.isArray(servers)) throw new Error('a part is missing');
  return servers.map(({ name, url }) => ({ name: String(name), url: serverUrl(String(url)) }));
}
