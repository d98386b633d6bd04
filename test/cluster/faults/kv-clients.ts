import type { DroverProcess } from '../drover-process.ts';
import type { Held, Operation } from '../linearizable.ts';
import { ask, keysOf, valueOf, type Answer } from './region-client.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

export interface KvClientsOptions {
  readonly servers: readonly DroverProcess[];
  readonly random: Seeded;
  /** Of the keys. */
  readonly prefix: string;
  readonly clients: number;
  readonly keys: number;
  /** Between two operations of a client, at most. */
  readonly pauseMs: number;
  /** How reads are asked for: `consistent`; `stale` is what must be found out. */
  readonly reads?: 'consistent' | 'stale';
}

/** How long after healing a server may take to answer. */
const LAST_MS = 20_000;

interface Known {
  readonly value: Held;
  readonly index: number;
}

/** Clients that read, write, take away and compare-and-swap a few keys over random servers, and record what they saw. */
export class KvClients {
  readonly history: Operation[] = [];
  readonly #options: KvClientsOptions;
  #made = 0;

  constructor(options: KvClientsOptions) {
    this.#options = options;
  }

  /** Resolves when the signal aborted and all clients have ended. */
  async run(signal: AbortSignal): Promise<void> {
    const { clients, random } = this.#options;
    const rows = Array.from({ length: clients }, () => random.fork());
    await Promise.all(rows.map((row, index) => this.#client(`c${index}`, row, signal)));
  }

  /**
   * Reads every key on each server once more: what was acknowledged must be there. Gives what the last answers were where none came.
   */
  async readAll(withinMs: number = LAST_MS): Promise<readonly string[]> {
    const { keys, servers } = this.#options;
    const silent: string[] = [];
    for (const server of servers) {
      const deadlineMs = performance.now() + withinMs;
      for (let key = 0; key < keys;) {
        if ((await this.#read('last', this.#key(key), server)) !== null) key++;
        else if (performance.now() < deadlineMs) await sleep(200);
        else {
          const last = await ask(server, `/v1/kv/${this.#key(key++)}?consistent`);
          silent.push(`${server.name} gives no consistent read: ${JSON.stringify(last)}`);
        }
      }
    }
    return silent;
  }

  async #client(client: string, random: Seeded, signal: AbortSignal): Promise<void> {
    const known = new Map<string, Known>();
    while (!signal.aborted) {
      const key = this.#key(random.below(this.#options.keys));
      const server = random.pick(this.#options.servers);
      const last = known.get(key);
      const chance = random.next();
      if (chance < 0.4 || last === undefined) {
        const read = await this.#read(client, key, server);
        if (read !== null) known.set(key, read);
      } else if (chance < 0.85) await this.#swap(client, key, { server, last });
      else await this.#write(client, key, { server, isDelete: chance > 0.97 });
      await sleep(random.below(this.#options.pauseMs));
    }
  }

  async #read(client: string, key: string, server: DroverProcess): Promise<Known | null> {
    const { reads = 'consistent' } = this.#options;
    const startMs = performance.now();
    const found = keysOf(await ask(server, `/v1/kv/${key}?${reads}`));
    if (found === undefined) return null;
    const [entry] = found;
    const read = entry === undefined ? { value: null, index: 0 } : { value: valueOf(entry), index: entry.ModifyIndex };
    this.history.push({ client, key, startMs, endMs: performance.now(), kind: 'read', value: read.value });
    return read;
  }

  async #swap(client: string, key: string, { server, last }: { server: DroverProcess; last: Known }): Promise<void> {
    const to = this.#value(client);
    const startMs = performance.now();
    const answer = await ask(server, `/v1/kv/${key}?cas=${last.index}`, { method: 'PUT', body: to });
    if (answer.kind === 'refused') return;
    const done = doneOf(answer);
    const endMs = done === null ? Infinity : performance.now();
    this.history.push({ client, key, startMs, endMs, kind: 'swap', from: last.value, to, done });
  }

  async #write(
    client: string,
    key: string,
    { server, isDelete }: { server: DroverProcess; isDelete: boolean },
  ): Promise<void> {
    const value = isDelete ? null : this.#value(client);
    const startMs = performance.now();
    const answer = await ask(server, `/v1/kv/${key}`, { method: isDelete ? 'DELETE' : 'PUT', body: value });
    if (answer.kind === 'refused') return;
    const endMs = doneOf(answer) === true ? performance.now() : Infinity;
    this.history.push({ client, key, startMs, endMs, kind: 'write', value });
  }

  #key(index: number): string {
    return `${this.#options.prefix}/${index}`;
  }

  #value(client: string): string {
    this.#made++;
    return `${client}.${this.#made}`;
  }
}

/** What a write says it did; null when nobody knows. A server's error does not say that nothing was done. */
function doneOf(answer: Answer): boolean | null {
  if (answer.kind !== 'answer' || answer.status !== 200) return null;
  return answer.text.trim() === 'true';
}
