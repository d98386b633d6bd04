import { createServer, type Server } from 'node:net';
import { once } from 'node:events';
import type { DroverProcess } from '../drover-process.ts';
import { until } from '../until.ts';
import type { Findings } from './invariants.ts';
import { ask, textOf } from './region-client.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';

export interface InstancesOptions {
  readonly servers: readonly DroverProcess[];
  /** Their instances answer, whatever becomes of the agents. */
  readonly lasting: readonly DroverProcess[];
  /** Their instances die with them. */
  readonly mortal: readonly DroverProcess[];
  readonly findings: Findings;
  readonly random: Seeded;
  readonly answers: (process: DroverProcess, forMs: number) => boolean;
  /** Whether nothing else is broken, and has not been for so long: what an agent's death is judged by. */
  readonly isQuiet: (but: string, forMs: number) => boolean;
}

export const SERVICE = 'web';
/** Suspicion, a probe and the news of it take a fraction of this; a busy machine takes its time. */
const OUT_MS = 10_000;
const WARM_MS = 3_000;

/** One instance of a service on each agent: who lives stays healthy, who died leaves (10). */
export class Instances implements AsyncDisposable {
  readonly #options: InstancesOptions;
  readonly #programs: Server[] = [];
  readonly #diedAtMs = new Map<string, number>();

  private constructor(options: InstancesOptions) {
    this.#options = options;
  }

  /** Starts what answers for the instances, and registers all of them at their agents. */
  static async start(options: InstancesOptions): Promise<Instances> {
    const instances = new Instances(options);
    for (const agent of options.lasting) await register(agent, await instances.#program(agent));
    for (const agent of options.mortal) await register(agent, 1);
    const all = [...options.lasting, ...options.mortal];
    await until(
      async () => (await healthy(options.servers[0] as DroverProcess))?.length === all.length,
      20_000,
      () => 'the instances do not arrive',
    );
    return instances;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { servers, random, answers } = this.#options;
    while (!signal.aborted) {
      const server = random.pick(servers);
      if (answers(server, WARM_MS)) await this.#look(server);
      await sleep(150 + random.below(200), signal);
    }
  }

  /** After healing all of them are healthy, on each server. */
  async check(): Promise<void> {
    const { servers, lasting, mortal, findings } = this.#options;
    const wanted = [...lasting, ...mortal].map(({ name }) => name);
    for (const server of servers) {
      const back = async (): Promise<boolean> =>
        wanted.every((name) => names.includes(name), (names = (await healthy(server)) ?? []));
      let names: readonly string[] = [];
      const there = await until(back, OUT_MS).then(
        () => true,
        () => false,
      );
      findings.expect(10, there, () => `${server.name} has only ${names.join(', ')} healthy after healing`);
    }
  }

  /**
   * While nothing is broken: one whose instance dies with it is killed, which every server is to say in time, and comes back. Gives
   * how long that took at the slowest, in ms.
   */
  async checkDeath(): Promise<number> {
    const { servers, mortal, findings } = this.#options;
    const agent = mortal[0] as DroverProcess;
    const begunAtMs = performance.now();
    await agent.kill();
    for (const server of servers) {
      const left = async (): Promise<boolean> => (await healthy(server))?.includes(agent.name) === false;
      const isOut = await until(left, OUT_MS).then(
        () => true,
        () => false,
      );
      findings.expect(10, isOut, () => `${server.name} has a healthy instance of ${agent.name}, dead for ${OUT_MS} ms`);
    }
    const tookMs = Math.round(performance.now() - begunAtMs);
    await agent.start();
    return tookMs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#programs.map((program) => new Promise((resolve) => program.close(resolve))));
  }

  async #program(agent: DroverProcess): Promise<number> {
    const program = createServer((socket) => socket.on('error', () => undefined).end());
    this.#programs.push(program);
    program.listen(0, agent.site.address);
    await once(program, 'listening');
    return (program.address() as { port: number }).port;
  }

  async #look(server: DroverProcess): Promise<void> {
    const { lasting, mortal, findings, answers, isQuiet } = this.#options;
    const begunAtMs = performance.now();
    const names = await healthy(server);
    if (names === undefined || !answers(server, performance.now() - begunAtMs + WARM_MS)) return;
    for (const { name } of lasting)
      findings.expect(
        10,
        names.includes(name),
        () => `${server.name} has no healthy instance of ${name}, which answers`,
      );
    for (const agent of mortal) {
      if (agent.running) this.#diedAtMs.delete(agent.name);
      else if (!this.#diedAtMs.has(agent.name)) this.#diedAtMs.set(agent.name, begunAtMs);
      const goneForMs = begunAtMs - (this.#diedAtMs.get(agent.name) ?? begunAtMs);
      if (goneForMs > OUT_MS && isQuiet(agent.name, goneForMs))
        findings.expect(
          10,
          !names.includes(agent.name),
          () => `${server.name} has a healthy instance of ${agent.name}, dead for ${Math.round(goneForMs)} ms`,
        );
    }
  }
}

/** The nodes whose instances a server gives as healthy. */
async function healthy(server: DroverProcess): Promise<string[] | undefined> {
  const text = textOf(await ask(server, `/v1/health/service/${SERVICE}?passing`));
  return text === null ? undefined : (JSON.parse(text) as { Node: { Node: string } }[]).map(({ Node }) => Node.Node);
}

async function register(agent: DroverProcess, port: number): Promise<void> {
  const body = JSON.stringify({
    Name: SERVICE,
    ID: `${SERVICE}-${agent.name}`,
    Port: port,
    Address: agent.site.address,
  });
  const registered = async (): Promise<boolean> =>
    textOf(await ask(agent, '/v1/agent/service/register', { method: 'PUT', body })) !== null;
  await until(registered, 20_000, () => `${agent.name} takes no registration`);
}
