import type { DroverProcess } from '../drover-process.ts';
import type { Findings } from './invariants.ts';
import { ask, keysOf, valueOf } from './region-client.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

export interface LedgerOptions {
  readonly servers: readonly DroverProcess[];
  readonly random: Seeded;
  readonly findings: Findings;
  /** Of the keys. */
  readonly prefix: string;
  readonly clients: number;
  readonly pauseMs: number;
}

/**
 * Clients that each write keys of their own and keep account of what was acknowledged: it is there at the end (1), revisions rise (2),
 * the writer sees it at once, and a read on another server that waits for its revision does too (6).
 */
export class LedgerClients {
  readonly acknowledged = new Map<string, string>();
  readonly #options: LedgerOptions;

  constructor(options: LedgerOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clients, random } = this.#options;
    const rows = Array.from({ length: clients }, () => random.fork());
    await Promise.all([
      ...rows.map((row, index) => this.#client(`l${index}`, row, signal)),
      this.#pairs(random.fork(), signal),
      this.#pairReader(random.fork(), signal),
    ]);
  }

  /** What was acknowledged is there, on each server. */
  async check(): Promise<void> {
    for (const server of this.#options.servers) {
      const found = keysOf(
        await ask(server, `/v1/kv/${this.#options.prefix}/?recurse&consistent`, { withinMs: 20_000 }),
      );
      const held = new Map(found?.map((entry) => [entry.Key, valueOf(entry)]));
      for (const [key, value] of this.acknowledged) {
        this.#options.findings.expect(
          1,
          held.get(key) === value,
          () => `${server.name} has ${held.get(key) ?? 'nothing'} at ${key}, and ${value} was acknowledged`,
        );
      }
    }
  }

  async #client(client: string, random: Seeded, signal: AbortSignal): Promise<void> {
    let lastRevision = 0;
    for (let count = 0; !signal.aborted; count++) {
      const server = random.pick(this.#options.servers);
      const key = `${this.#options.prefix}/${client}/${count}`;
      const answer = await ask(server, `/v1/kv/${key}`, { method: 'PUT', body: `v${count}` });
      if (answer.kind === 'answer' && answer.status === 200) {
        this.acknowledged.set(key, `v${count}`);
        const before = lastRevision;
        lastRevision = answer.revision;
        this.#options.findings.expect(
          2,
          lastRevision > before,
          () => `${key} has revision ${lastRevision} after ${before}`,
        );
        await this.#readBack(key, `v${count}`, { server, random, revision: lastRevision });
      }
      await sleep(random.below(this.#options.pauseMs));
    }
  }

  async #readBack(
    key: string,
    value: string,
    { server, random, revision }: { server: DroverProcess; random: Seeded; revision: number },
  ): Promise<void> {
    const own = keysOf(await ask(server, `/v1/kv/${key}`));
    if (own !== undefined)
      this.#options.findings.expect(
        6,
        own[0] !== undefined,
        () => `${server.name} does not show ${key} to who wrote it there`,
      );
    const other = random.pick(this.#options.servers);
    const answer = await ask(other, `/v1/kv/${key}?index=${revision - 1}&wait=3s`);
    if (answer.kind !== 'answer' || answer.index < revision) return;
    const [seen] = keysOf(answer) ?? [];
    this.#options.findings.expect(
      6,
      seen !== undefined && valueOf(seen) === value,
      () => `${other.name} says index ${answer.index} and does not show ${key} of revision ${revision}`,
    );
  }

  /** Two keys that one transaction writes. */
  async #pairs(random: Seeded, signal: AbortSignal): Promise<void> {
    for (let count = 0; !signal.aborted; count++) {
      const Value = Buffer.from(String(count)).toString('base64');
      const body = JSON.stringify(['pair/a', 'pair/b'].map((Key) => ({ KV: { Verb: 'set', Key, Value } })));
      await ask(random.pick(this.#options.servers), '/v1/txn', { method: 'PUT', body });
      await sleep(random.below(this.#options.pauseMs * 2));
    }
  }

  async #pairReader(random: Seeded, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const server = random.pick(this.#options.servers);
      const found = keysOf(await ask(server, '/v1/kv/pair/?recurse'));
      if (found !== undefined && found.length > 0) {
        const values = new Set(found.map((entry) => `${valueOf(entry)} of revision ${entry.ModifyIndex}`));
        this.#options.findings.expect(
          2,
          values.size === 1 && found.length === 2,
          () => `${server.name} shows half a transaction: ${[...values].join(', ')}`,
        );
      }
      await sleep(random.below(this.#options.pauseMs));
    }
  }
}
