import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { DroverProcess } from '../drover-process.ts';
import { until } from '../until.ts';
import type { Findings } from './invariants.ts';
import { ask, textOf } from './region-client.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

const VALUE = 'FAULTS_VALUE';
const DEFINITION = { id: 'job', requires: { VALUE: `{${VALUE}}` } };
const PROVISION = 'echo "start $DROVER_REVISION" >> "$1"\nsleep 0.3\necho "end $DROVER_REVISION" >> "$1"\n';
const RUN_MS = 20_000;
const TRIES = 10;

export interface ProvisionsOptions {
  readonly servers: readonly DroverProcess[];
  readonly findings: Findings;
  readonly random: Seeded;
  /** Of the agent that provisions. */
  readonly directory: string;
}

/** What the agent that provisions has more in its configuration. */
export function provisioning(directory: string): object {
  const command = ['/bin/sh', path.join(directory, 'provision.sh'), path.join(directory, 'provisions')];
  return {
    runs: [DEFINITION.id],
    environment: { directory: path.join(directory, 'services.d') },
    provision: { command },
  };
}

/** Changes what an agent provisions from, and reads what its provisions wrote down (13). */
export class Provisions {
  readonly #options: ProvisionsOptions;
  #count = 0;
  #last = 0;

  constructor(options: ProvisionsOptions) {
    this.#options = options;
  }

  /** Before there is anything to provision. */
  static async prepare(directory: string): Promise<void> {
    await writeFile(path.join(directory, 'provision.sh'), PROVISION);
  }

  /** Declares what there is to provision. @throws when it is not taken */
  async declare(): Promise<void> {
    await persist(() => this.#put('/v2/definitions', [DEFINITION]));
    await persist(() => this.change());
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(1_500 + this.#options.random.below(2_500), signal);
      if (!signal.aborted) await this.change().catch(() => undefined);
    }
  }

  /** @throws when it is not taken */
  async change(): Promise<void> {
    this.#last = await this.#put(`/v2/datastores/${VALUE}`, { value: `v${++this.#count}` });
  }

  /** After healing: one more change is provisioned, and no two provisions overlapped. */
  async check(): Promise<void> {
    const { findings } = this.#options;
    await persist(() => this.change());
    const isDone = async (): Promise<boolean> =>
      (await this.#lines()).some((line) => line.word === 'end' && line.revision >= this.#last);
    const done = await until(isDone, RUN_MS).then(
      () => true,
      () => false,
    );
    const lines = await this.#lines();
    findings.expect(
      13,
      done,
      () => `the change of ${this.#last} is not provisioned; the last is ${lines.at(-1)?.revision}`,
    );
    const overlap = lines.findIndex((line, at) => line.word === (at % 2 === 0 ? 'end' : 'start'));
    findings.expect(
      13,
      overlap < 0,
      () => `two provisions at once: ${JSON.stringify(lines.slice(Math.max(overlap - 2, 0), overlap + 2))}`,
    );
  }

  async #put(where: string, body: object): Promise<number> {
    const server = this.#options.random.pick(this.#options.servers);
    const answer = await ask(server, where, { method: 'PUT', body: JSON.stringify(body), withinMs: 20_000 });
    if (textOf(answer) === null) throw new Error(`${where} is not taken: ${JSON.stringify(answer)}`);
    return (answer as { revision: number }).revision;
  }

  async #lines(): Promise<{ word: string; revision: number }[]> {
    const text = await readFile(path.join(this.#options.directory, 'provisions'), 'utf8').catch(() => '');
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => ({ word: line.split(' ')[0] as string, revision: Number(line.split(' ')[1]) }));
  }
}

/** A connection may break at any time; what is asked for here may be done twice. */
async function persist(act: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await act();
      return;
    } catch (error) {
      if (left === 0) throw error;
      await sleep(500);
    }
  }
}
