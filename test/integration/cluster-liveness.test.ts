import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DroverProcess } from '../cluster/drover-process.ts';
import { written } from '../cluster/ground.ts';
import { LoopbackGround } from '../cluster/loopback-ground.ts';
import { until } from '../cluster/until.ts';
import { perTestStack } from '../per-test-stack.ts';

const stack = perTestStack();

/** A program that accepts connections, apart from its node's agent. */
class Program implements AsyncDisposable {
  readonly port: number;
  readonly #address: string;
  readonly #waiting: Socket[] = [];
  #child: ChildProcess | null = null;

  constructor(address: string, port: number) {
    this.#address = address;
    this.port = port;
  }

  async start(): Promise<void> {
    const code = `require('node:net').createServer((s) => s.end()).listen({ port: ${this.port}, host: '${this.#address}', backlog: 1 }, () => console.log('on'))`;
    this.#child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => this.#child?.stdout?.once('data', resolve));
  }

  /** As on a machine without power: nothing refuses, nothing answers. */
  vanish(): void {
    this.#child?.kill('SIGSTOP');
    // Until no more connections are taken for it, there being no room where they would wait.
    for (let left = 8; left > 0; left--) this.#waiting.push(connect(this.port, this.#address).on('error', () => {}));
  }

  kill(): Promise<void> {
    return this[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    for (const one of this.#waiting) one.destroy();
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }
}

interface Fleet {
  readonly server: DroverProcess;
  readonly agents: readonly DroverProcess[];
  readonly programs: readonly Program[];
  /** Instances of `web` that get traffic, as Consul's clients see them. */
  passing(): Promise<string[]>;
  node(name: string): Promise<{ readonly status: string; readonly answering?: readonly string[] }>;
}

/** One server, and two nodes with an agent and a program each. */
async function start(timing: 'local' | 'lan'): Promise<Fleet> {
  const ground = stack.use(new LoopbackGround());
  const folder = await mkdtemp(path.join(tmpdir(), 'drover-cluster-liveness-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const configuration = (): object => ({ server: true, store: 'memory:', timing });
  const server = stack.use(await DroverProcess.prepare({ name: 'server', ground, folder, configuration }));
  await server.start();
  const ask = async <T>(url: string): Promise<T> => (await (await fetch(`${server.url}${url}`)).json()) as T;
  const agents: DroverProcess[] = [];
  const programs: Program[] = [];
  for (const name of ['a', 'b']) {
    const join = { retry_join: [written(server.http.reached)], timing };
    const agent = stack.use(await DroverProcess.prepare({ name, ground, folder, configuration: () => join }));
    const { listen } = await ground.entrance(agent.site);
    const program = stack.use(new Program(listen.host, listen.port));
    await program.start();
    await agent.start();
    await fetch(`${agent.url}/v1/agent/service/register`, {
      method: 'PUT',
      body: JSON.stringify({ Name: 'web', ID: `web-${name}`, Address: listen.host, Port: listen.port }),
    });
    agents.push(agent);
    programs.push(program);
  }
  const fleet: Fleet = {
    server,
    agents,
    programs,
    passing: async () => {
      const rows = await ask<{ Service: { ID: string } }[]>('/v1/health/service/web?passing');
      return rows.map(({ Service }) => Service.ID);
    },
    node: (name) => ask(`/v2/nodes/${name}`),
  };
  await until(async () => (await fleet.passing()).length === 2, 20_000);
  return fleet;
}

/** What was ever seen while something went on. */
async function seenDuring(fleet: Fleet, forMs: number): Promise<Set<string>> {
  const seen = new Set<string>();
  for (const end = performance.now() + forMs; performance.now() < end; await sleep(50))
    seen.add((await fleet.passing()).join(' '));
  return seen;
}

test(
  'an agent that is killed takes no service with it, and a new one takes everything over',
  { timeout: 90_000 },
  async () => {
    const fleet = await start('local');
    const [agent, program] = [fleet.agents[0] as DroverProcess, fleet.programs[0] as Program];
    await agent.kill();
    const seen = seenDuring(fleet, 6_000);
    await until(async () => (await fleet.node('a')).status === 'down', 20_000);
    expect(await fleet.node('a')).toMatchObject({ status: 'down', answering: ['web-a'] });
    expect(await seen).toEqual(new Set(['web-a web-b']));

    const during = seenDuring(fleet, 5_000);
    await agent.start();
    await until(async () => (await fleet.node('a')).status === 'up', 20_000);
    expect(await during).toEqual(new Set(['web-a web-b']));

    await agent.kill();
    await until(async () => (await fleet.node('a')).status === 'down', 20_000);
    await program.kill();
    await until(async () => (await fleet.passing()).join() === 'web-b', 5_000);
  },
);

test('a whole node that is gone is out of what gets traffic within five seconds', { timeout: 90_000 }, async () => {
  const fleet = await start('lan');
  const before = performance.now();
  await Promise.all([fleet.agents[0]?.kill(), fleet.programs[0]?.kill()]);
  await until(async () => (await fleet.passing()).join() === 'web-b', 20_000);
  expect(performance.now() - before).toBeLessThan(5_000);
  expect(await fleet.node('a')).toMatchObject({ status: 'suspected', dead: { 'web-a': 'refused' } });
});

test(
  'and so is one of which nothing at all comes back: no end of its link, no refusal',
  { timeout: 90_000 },
  async () => {
    const fleet = await start('lan');
    fleet.programs[0]?.vanish();
    const before = performance.now();
    fleet.agents[0]?.pause();
    try {
      await until(async () => (await fleet.passing()).join() === 'web-b', 20_000);
      expect(performance.now() - before).toBeLessThan(5_000);
      expect(await fleet.node('a')).toMatchObject({ status: 'suspected', dead: { 'web-a': 'silent' } });
    } finally {
      fleet.agents[0]?.resume();
    }
  },
);

test(
  'an agent that stands still is suspected, its service stays, and it is up again when it goes on',
  { timeout: 90_000 },
  async () => {
    const fleet = await start('local');
    const agent = fleet.agents[0] as DroverProcess;
    agent.pause();
    try {
      const seen = seenDuring(fleet, 4_000);
      await until(async () => (await fleet.node('a')).status !== 'up', 10_000);
      expect(await seen).toEqual(new Set(['web-a web-b']));
    } finally {
      agent.resume();
    }
    await until(async () => (await fleet.node('a')).status === 'up', 20_000);
    expect(await fleet.passing()).toEqual(['web-a', 'web-b']);
  },
);

test('a server that stands still accuses nobody when it goes on', { timeout: 90_000 }, async () => {
  const fleet = await start('local');
  fleet.server.pause();
  await sleep(5_000);
  fleet.server.resume();
  const statuses = new Set<string>();
  for (const end = performance.now() + 4_000; performance.now() < end; await sleep(50)) {
    statuses.add((await fleet.node('a')).status);
    statuses.add((await fleet.node('b')).status);
  }
  expect([...statuses]).toEqual(['up']);
});
