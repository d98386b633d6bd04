import { createServer, type AddressInfo, type Server } from 'node:net';
import { once } from 'node:events';
import { expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import type { DroverProcess, Home } from '../cluster/drover-process.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import {
  ask,
  etcdctl,
  inDns,
  json,
  linkedTo,
  LONG_MS,
  passing,
  put,
  sleep,
  stored,
  type Trace,
} from './cluster-acceptance.ts';
import { perTestStack } from '../per-test-stack.ts';

const NODES = 100;
/** What the issue allows, and what a busy machine with two cores needs beside it. */
const MOVED_WITHIN_MS = 10_000;
const BUSY_MS = 5_000;

/** How many agents share the nodes, how they time, and whether their instances listen: who probes one that does not finds it dead. */
interface Plan {
  readonly timing: 'lan' | 'local';
  readonly agents: number;
  readonly listens: boolean;
  /** Past the dead server's lease, the grace and the time in which its nodes might be suspected. */
  readonly watchedForMs: number;
}

/** `local` suspects whoever is silent for 0.6 s, as agents on a busy machine are. */
const PLANS: readonly Plan[] = [
  { timing: 'lan', agents: 10, listens: false, watchedForMs: 22_000 },
  { timing: 'local', agents: 4, listens: true, watchedForMs: 6_000 },
];

const stack = perTestStack(LONG_MS);

/** As many ports as an agent has nodes: of servers that listen, or of nobody. */
async function portsOf({ agents, listens }: Plan): Promise<number[]> {
  const wanted = Array.from({ length: NODES / agents }, (_, index) => 1 + index);
  if (!listens) return wanted;
  return Promise.all(wanted.map(async () => ((await listen()).address() as AddressInfo).port));
}

async function listen(): Promise<Server> {
  const server = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(() => void server.close());
  return server;
}

/** Several nodes in one agent, each with an instance and an environment. */
function severalNodes(index: number, { folder }: Home, ports: readonly number[]): object {
  const [own, ...nodes] = ports.map((port, node) => ({
    name: `agent-${index}-${node}`,
    runs: ['app'],
    services: [{ name: `s${index}`, address: '127.0.0.1', port, check: { ttl: '1h', status: 'passing' } }],
    environment: { directory: `${folder}/environment-${node}` },
  }));
  const { name: nodeName, ...rest } = own as NonNullable<typeof own>;
  return { ...rest, node_name: nodeName, nodes };
}

async function start({ timing, agents }: Plan, ports: readonly number[]): Promise<DroverCluster> {
  const agentConfiguration = (index: number, at: Home): object => ({ timing, ...severalNodes(index, at, ports) });
  const options = { members: 1, servers: 3, agents, serverConfiguration: { timing }, agentConfiguration };
  return stack.use(await DroverCluster.start(options));
}

/** What is looked at, and who is not expected to be well. */
interface Looked {
  readonly services: readonly string[];
  readonly ports: readonly number[];
  readonly except: string;
}

/** Looks at every service through these agents all the time; what was otherwise than it should be. */
class Lookout {
  readonly wrong = new Set<string>();
  /** How often each has looked at everything. */
  readonly #looks = new Map<DroverProcess, number>();
  readonly #looked: Looked;
  readonly #looking: Promise<unknown>;
  #isOver = false;

  constructor(at: readonly DroverProcess[], looked: Looked) {
    this.#looked = looked;
    for (const one of at) this.#looks.set(one, 0);
    this.#looking = Promise.all(
      at.map((one) => this.#lookOn(one).catch((error: unknown) => this.wrong.add(`${one.name}: ${String(error)}`))),
    );
  }

  /** The least of what each has looked: an agent that is cut off knows only what it was asked before. */
  get looks(): number {
    return Math.min(...this.#looks.values());
  }

  async stop(): Promise<string[]> {
    this.#isOver = true;
    await this.#looking;
    return [...this.wrong];
  }

  async #lookOn(at: DroverProcess): Promise<void> {
    const { services, ports, except } = this.#looked;
    const all = ports.toSorted((a, b) => a - b).join();
    while (!this.#isOver) {
      for (const service of services) {
        const found = (await inDns(at, service)).join();
        if (found !== all) this.wrong.add(`${at.name} DNS ${service}: ${found}`);
      }
      const rows = await json<{ Status: string; Node: string }[]>(at, '/v1/health/state/any?stale');
      for (const { Status, Node } of rows)
        if (Status !== 'passing' && Node !== except) this.wrong.add(`${at.name} ${Node}: ${Status}`);
      this.#looks.set(at, (this.#looks.get(at) ?? 0) + 1);
      await sleep(100);
    }
  }
}

interface Blocked {
  readonly name: string;
  answered: string | null;
}

/** A blocked query for a service. */
async function block(at: DroverProcess, service: string): Promise<Blocked> {
  const path = `/v1/health/service/${service}`;
  const first = await ask(at, path);
  await first.body?.cancel();
  const blocked: Blocked = { name: `${service} at ${at.name}`, answered: null };
  void ask(at, `${path}?index=${first.headers.get('x-consul-index')}&wait=110s`)
    .then(async (answer) => (blocked.answered = `${answer.status} ${await answer.text()}`))
    .catch((error: unknown) => (blocked.answered = String(error)));
  return blocked;
}

const trace = (at: DroverProcess, revision: number): Promise<Trace> => json(at, `/v2/trace/${revision}`);

const count = (names: readonly (string | null)[], name: string): number => names.filter((one) => one === name).length;

requireComponent('etcd')('a server killed under 100 agents', () => {
  test.each(PLANS)('nothing flaps, nobody is woken, all move, timing $timing', { timeout: LONG_MS }, async (plan) => {
    const ports = await portsOf(plan);
    const cluster = await start(plan, ports);
    const { servers, agents } = cluster;
    const services = agents.map((_, index) => `s${index}`);
    const [first] = servers as [DroverProcess];
    await put(first, '/v2/definitions/app', { id: 'app', environment: {}, requires: { DB: '{DB}' } });
    await put(first, '/v2/datastores/DB', { value: 'one' });
    let said: string[] = [];
    const missing = async (): Promise<string[]> => {
      const found = await Promise.all(services.map((name) => passing(first, name)));
      return services
        .filter((_, index) => found[index]?.length !== ports.length)
        .map((name) => `${name} ${found[services.indexOf(name)]?.length}`);
    };
    await until(
      async () => (said = await missing()).length === 0,
      60_000,
      () => `missing: ${said.join()}`,
    );
    const homes = await Promise.all(agents.map(linkedTo));
    const dead = servers.toSorted((a, b) => count(homes, b.name) - count(homes, a.name))[0] as DroverProcess;
    const [one, other] = servers.filter((server) => server !== dead) as [DroverProcess, DroverProcess];
    const moving = agents.filter((_, index) => homes[index] === dead.name);
    const settled = agents.filter((_, index) => homes[index] !== dead.name);
    const moved = moving.map((agent) => `s${agents.indexOf(agent)}`);
    expect(moved.length).toBeGreaterThan(0);

    const families = ['node/', 'inst/', 'chk/', 'tomb/', ...(plan.listens ? [] : ['alive/agent'])];
    const before = await stored(cluster, ...families);
    const askers = [one, other, ...moving.slice(0, 2), ...settled.slice(0, 1)];
    const blocked = await Promise.all(askers.flatMap((asker) => moved.map((name) => block(asker, name))));
    const lookout = new Lookout([one, other, moving[0] as DroverProcess], { services, ports, except: dead.name });
    await until(() => lookout.looks >= 2, 20_000);
    const killedMs = performance.now();
    await dead.kill();
    const owners = (): Promise<string> =>
      etcdctl(cluster, 'get', '--prefix', '--print-value-only', '/drover/1/own/agent');
    await until(async () => !(await owners()).includes(`"${dead.name}"`), MOVED_WITHIN_MS + BUSY_MS);
    expect(performance.now() - killedMs).toBeLessThan(MOVED_WITHIN_MS + BUSY_MS);

    // The dead server is waited for until its lease has ended, and no longer.
    const revision = await put(one, '/v2/datastores/DB', { value: 'two' });
    const waited = await json<{ converged: boolean }>(other, `/v2/converged/${revision}?wait=60s`);
    expect(waited, JSON.stringify(waited)).toMatchObject({ converged: true });
    expect((await trace(other, revision)).of).toBe(NODES);

    await until(() => performance.now() - killedMs > plan.watchedForMs, plan.watchedForMs + 1_000);
    expect(await lookout.stop()).toEqual([]);
    // Who is suspected is said to be, which is another answer: only what really did not change wakes nobody.
    if (plan.timing === 'lan') expect(blocked.filter(({ answered }) => answered !== null)).toEqual([]);
    expect(await stored(cluster, ...families)).toEqual(before);

    // Nobody was forgotten: a real change wakes each of them, and the dead server's DNS is not waited for.
    let last = 0;
    for (const name of moved) last = await put(one, '/v1/agent/service/register', { Name: name, Port: 99 });
    const isAnswered = ({ answered }: Blocked): boolean => answered?.startsWith('200 ') === true;
    await until(
      () => blocked.every(isAnswered),
      20_000,
      () => JSON.stringify(blocked).slice(0, 2_000),
    );
    let traced: Trace | null = null;
    await until(
      async () => (traced = await trace(one, last)).converged,
      30_000,
      () => `${one.name}, ${dead.name} dead: ${JSON.stringify(traced)}`,
    );
    const names = (await trace(one, last)).consumers.filter(({ kind }) => kind === 'dns').map(({ node }) => node);
    expect(names.toSorted()).toEqual([one.name, other.name].toSorted());
  });
});
