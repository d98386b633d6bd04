import type { DroverProcess } from '../drover-process.ts';
import { until } from '../until.ts';
import type { Findings } from './invariants.ts';
import { ask } from './region-client.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

export interface FollowersOptions {
  readonly servers: readonly DroverProcess[];
  readonly random: Seeded;
  readonly findings: Findings;
  /** Paths of blocking queries, without index and wait. */
  readonly paths: readonly string[];
  readonly clients: number;
  /** Whether nothing is done to a server, nor to its store: one that is cut off can only give what it has when the time is up. */
  readonly isWhole: (server: DroverProcess) => boolean;
}

/** Within this all of them have the last state, after the last change. */
const ARRIVED_MS = 10_000;
const WAIT_S = 6;

/** Clients that each ask one blocking query again and again, of another server each time, with the index they had last (5). */
export class Followers {
  readonly #options: FollowersOptions;
  readonly #seen = new Map<string, { path: string; body: string }>();
  rounds = 0;

  constructor(options: FollowersOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clients, paths, random } = this.#options;
    const all = Array.from({ length: clients }, (_, index) => ({
      name: `f${index}`,
      path: paths[index % paths.length] as string,
    }));
    await Promise.all(all.map((one) => this.#follow(one.name, one.path, { random: random.fork(), signal })));
  }

  /** While they go on, each of them comes to see what a read of now gives. */
  async check(): Promise<void> {
    const { servers, findings } = this.#options;
    const [server] = servers;
    for (const [name, { path }] of this.#seen) {
      const now = await ask(server as DroverProcess, path);
      const body = now.kind === 'answer' ? now.text : '';
      const isThere = (): boolean => this.#seen.get(name)?.body === body;
      const arrived = await until(isThere, ARRIVED_MS).then(
        () => true,
        () => false,
      );
      findings.expect(
        5,
        arrived,
        () =>
          `${name} sleeps on ${path}: it has ${this.#seen.get(name)?.body.slice(0, 200)}, not ${body.slice(0, 200)}`,
      );
    }
  }

  async #follow(
    name: string,
    path: string,
    { random, signal }: { random: Seeded; signal: AbortSignal },
  ): Promise<void> {
    const { servers, findings, isWhole } = this.#options;
    let index = 0;
    while (!signal.aborted) {
      const server = random.pick(servers);
      const asked = `${path}${path.includes('?') ? '&' : '?'}index=${index}&wait=${WAIT_S}s`;
      const answer = await ask(server, asked, { withinMs: (WAIT_S + 4) * 1_000 });
      if (answer.kind !== 'answer' || (answer.status !== 200 && answer.status !== 404)) {
        await sleep(100, signal);
        continue;
      }
      this.rounds++;
      findings.expect(
        6,
        answer.index >= index || !isWhole(server),
        () => `${server.name} says index ${answer.index} to who had ${index} of ${path}`,
      );
      index = answer.index;
      this.#seen.set(name, { path, body: answer.text });
    }
  }
}
