import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import { DroverProcess } from '../cluster/drover-process.ts';
import { written, type Place } from '../cluster/ground.ts';
import { NetnsGround } from '../cluster/netns-ground.ts';
import { until } from '../cluster/until.ts';
import { LoopbackGround } from '../cluster/loopback-ground.ts';
import { requireComponent } from '../require-component.ts';
import { ask, dnsOf, Follower, membersOf, passingOf, Program, put, said } from './cluster-rig.ts';
import { runProgram } from './run-program.ts';
import { perTestStack } from '../per-test-stack.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');

const stack = perTestStack();

interface Fleet {
  readonly cluster: DroverCluster;
  readonly programs: readonly Program[];
  /** The agent with a balancer, which requires what the others provide. */
  readonly front: DroverProcess;
  /** Where its balancer answers. */
  readonly balanced: Place;
}

interface WireNode {
  readonly status: string;
  readonly answering?: readonly string[];
  readonly dead?: Readonly<Record<string, string>>;
}

/** One etcd, two servers, two nodes with a program each and one with HAProxy. */
async function start(timing: 'local' | 'lan', ownGround?: NetnsGround): Promise<Fleet> {
  const front = 2;
  const cluster = stack.use(
    await DroverCluster.start({
      members: 1,
      servers: 2,
      agents: 3,
      // A server asks nodes that are linked to itself: each must have another one there.
      ...(ownGround === undefined ? {} : { ground: ownGround, toldOf: 1 }),
      serverConfiguration: { timing },
      agentConfiguration: (index, { address }) => ({
        timing,
        ...(index === front ? { runs: ['front'], balancer: { address, on_stop: 'stop' } } : { runs: ['web'] }),
      }),
    }),
  );
  const { ground, servers, agents } = cluster;
  const last = agents[front] as DroverProcess;
  const { listen: balanced } = await ground.entrance(last.site, 80);
  await put(servers[0] as DroverProcess, '/v2/definitions', [
    { id: 'web', provides: { WWW_URL: 'http://{HOST}:{PORT}' }, local_port: balanced.port },
    { id: 'front', requires: { WWW_URL: '{WWW_URL}' } },
  ]);
  const programs: Program[] = [];
  for (const [index, agent] of agents.slice(0, front).entries()) {
    const program = stack.use(await Program.start(`web-${index}`, ground, agent.site));
    programs.push(program);
    await put(agent, '/v1/agent/service/register', registration(program));
  }
  const fleet = { cluster, programs, front: last, balanced };
  await until(
    async () => (await everything(fleet)).every((what) => what === WHOLE),
    30_000,
    () => last.said,
  );
  return fleet;
}

const WHOLE = 'both';

function registration({ name, listen }: Program): object {
  const { host: Address, port: Port } = listen;
  return { Name: 'web', ID: name, Address, Port, Check: { TCP: written(listen), Interval: '1s' } };
}

/** What gets traffic, by the DNS and health of each server and by HAProxy: `both`, or what it is instead. */
function everything({ cluster, programs, front }: Fleet): Promise<string[]> {
  const addresses = programs.map(({ listen }) => listen.host).toSorted();
  const say = (found: string, whole: string): string => (found === whole ? WHOLE : found);
  const looks = cluster.servers.flatMap((server) => [
    dnsOf(server, 'web').then((found) => say(found, addresses.join(' '))),
    passingOf(server, 'web').then((found) => say(found, 'web-0 web-1')),
  ]);
  const members = membersOf(front, 'web').then((found) => say(found, 'agent-0/web-0 agent-1/web-1'));
  return Promise.all([...looks, members]);
}

function follow(fleet: Fleet): Follower[] {
  const looks = new Follower(async () => [...new Set(await everything(fleet))].join(', '));
  const traffic = new Follower(async () => ((await said(fleet.balanced)).startsWith('web-') ? 'answered' : 'not'));
  return [looks, traffic];
}

const stopped = (followers: readonly Follower[]): Promise<string[][]> =>
  Promise.all(followers.map((one) => one.stop()));

const UNBROKEN = [[WHOLE], ['answered']];

/** As every server sees it. */
async function statuses({ cluster }: Fleet, node: string): Promise<string> {
  const found = await Promise.all(cluster.servers.map((one) => ask<WireNode>(one, `/v2/nodes/${node}`)));
  return [...new Set(found.map(({ status }) => status))].join(' ');
}

const become = (fleet: Fleet, node: string, status: string): Promise<void> =>
  until(
    async () => (await statuses(fleet, node)) === status,
    30_000,
    () => `${node} is not ${status}`,
  );

/** An agent for the first node on a new disk, which knows nothing but its configuration. */
function replacement(
  { cluster }: Fleet,
  { folder: name, program }: { readonly folder: string; readonly program: Program },
): Promise<DroverProcess> {
  const { host: address, port } = program.listen;
  const check = { name: 'web', tcp: written(program.listen), interval: '1s' };
  return DroverProcess.prepare({
    name,
    ground: cluster.ground,
    folder: path.dirname((cluster.agents[0] as DroverProcess).folder),
    configuration: () => ({
      node_name: 'agent-0',
      advertise_addr: address,
      retry_join: cluster.servers.map(({ http }) => written(http.reached)),
      services: [{ id: 'web-0', name: 'web', address, port, check }],
      runs: ['web'],
    }),
  });
}

async function outOfAll(fleet: Fleet, program: Program, left: Program): Promise<number> {
  const before = performance.now();
  const { cluster, front } = fleet;
  await until(async () => {
    const dns = await Promise.all(cluster.servers.map((server) => dnsOf(server, 'web')));
    const members = await membersOf(front, 'web');
    return dns.every((found) => found === left.listen.host) && !members.includes(program.name);
  }, 30_000);
  return performance.now() - before;
}

requireComponent('etcd')('a node of a cluster', () => {
  test(
    'whose agent is killed keeps what answers, and agents that come after it take everything over without a flap',
    { timeout: 240_000 },
    async () => {
      const fleet = await start('local');
      const { cluster } = fleet;
      const [agent] = cluster.agents as [DroverProcess];
      const [program, other] = fleet.programs as [Program, Program];
      const all = follow(fleet);
      await agent.kill();
      await become(fleet, 'agent-0', 'down');
      expect(await ask<WireNode>(cluster.servers[1] as DroverProcess, '/v2/nodes/agent-0')).toMatchObject({
        answering: ['web-0'],
      });

      await agent.start();
      await become(fleet, 'agent-0', 'up');

      // On a disk that is new: all it knows is what its configuration says.
      await agent.kill();
      await become(fleet, 'agent-0', 'down');
      const anew = stack.use(await replacement(fleet, { folder: 'anew', program }));
      await anew.start();
      await become(fleet, 'agent-0', 'up');
      await sleep(3_000);
      expect(await stopped(all)).toEqual(UNBROKEN);
      for (const server of cluster.servers) {
        const history = await ask<{ status: string }[]>(server, '/v2/nodes/agent-0/checks/service:web-0/history');
        expect(history.map(({ status }) => status)).not.toContain('critical');
      }

      // At another address, with a program of its own there: the old one goes out when the new one is in.
      await anew.kill();
      await become(fleet, 'agent-0', 'down');
      const site = await cluster.ground.site('elsewhere');
      const moved = stack.use(await Program.start('web-0', cluster.ground, site));
      const elsewhere = stack.use(await replacement(fleet, { folder: 'elsewhere', program: moved }));
      const served = new Follower(async () => {
        const found = await Promise.all(cluster.servers.map((server) => dnsOf(server, 'web')));
        return [...new Set(found)].toSorted().join(' | ');
      });
      const traffic = new Follower(async () => ((await said(fleet.balanced)).startsWith('web-') ? 'answered' : 'not'));
      await elsewhere.start();
      await become(fleet, 'agent-0', 'up');
      const [oldBoth, newBoth] = [program, moved].map(({ listen }) =>
        [listen.host, other.listen.host].toSorted().join(' '),
      );
      await until(() => served.seen.at(-1)?.what === newBoth, 20_000);
      const answers = (await served.stop()).filter((what) => !what.includes(' | '));
      expect(answers).toEqual([oldBoth, newBoth]);
      expect(await traffic.stop()).toEqual(['answered']);

      await elsewhere.kill();
      await become(fleet, 'agent-0', 'down');
      await moved.kill();
      expect(await outOfAll(fleet, moved, other)).toBeLessThan(5_000);
    },
  );

  test('that is gone as a whole is out of DNS and balancers within five seconds', { timeout: 120_000 }, async () => {
    const fleet = await start('lan');
    const [agent] = fleet.cluster.agents as [DroverProcess];
    const [program, other] = fleet.programs as [Program, Program];
    await Promise.all([agent.kill(), program.kill()]);
    expect(await outOfAll(fleet, program, other)).toBeLessThan(5_000);
    expect(await ask<WireNode>(fleet.cluster.servers[0] as DroverProcess, '/v2/nodes/agent-0')).toMatchObject({
      status: 'suspected',
      dead: { 'web-0': 'refused' },
    });
  });
});

const VANISHING = Array.from({ length: 12 }, (_, at) => `v${at}`);

interface WireStatus {
  readonly partition: { readonly server: string; readonly why: string } | null;
}

requireComponent('etcd')('many nodes of a cluster that vanish at once', () => {
  test(
    'and answer all the same are not down, with an alarm that all servers tell, until it ends',
    { timeout: 300_000 },
    async () => {
      const ground = new LoopbackGround();
      const program = stack.use(await Program.start('all', ground, await ground.site('programs')));
      const { host: address, port } = program.listen;
      const cluster = stack.use(
        await DroverCluster.start({
          members: 1,
          servers: 2,
          agents: 2,
          ground,
          serverConfiguration: { timing: 'lan', partition_alarm: '60s' },
          agentConfiguration: (index) => ({
            timing: 'lan',
            ...(index > 0
              ? {}
              : {
                  nodes: VANISHING.map((name) => {
                    return { name, address, services: [{ id: `web-${name}`, name: 'web', port }] };
                  }),
                }),
          }),
        }),
      );
      const servers = cluster.servers as [DroverProcess, DroverProcess];
      const [many] = cluster.agents as [DroverProcess];
      const whole = VANISHING.map((name) => `web-${name}`)
        .toSorted()
        .join(' ');
      const all = (): Promise<string[]> => Promise.all(servers.map((server) => passingOf(server, 'web')));
      await until(async () => (await all()).every((found) => found === whole), 30_000);
      const served = new Follower(async () => [...new Set(await all())].join(', '));
      const alarms = async (): Promise<boolean[]> =>
        Promise.all(servers.map(async (one) => (await ask<WireStatus>(one, '/v2/status')).partition !== null));
      const down = async (): Promise<string[]> =>
        (await ask<(WireNode & { name: string })[]>(servers[1], '/v2/nodes'))
          .filter(({ status }) => status === 'down')
          .map(({ name }) => name);

      await many.kill();
      await until(async () => (await alarms()).every(Boolean), 20_000);
      const { partition } = await ask<WireStatus>(servers[1], '/v2/status');
      expect(partition?.why).toMatch(/^\d+ of 16 nodes vanished; of their \d+ instances 0 refuse and 0 are silent$/);
      const doctor = await runProgram(DROVER, ['doctor'], { env: { DROVER_HTTP_ADDR: servers[1].url } });
      expect(doctor.stdout + doctor.stderr).toMatch(/partition: .*nodes vanished.*\n.*node:release/);
      for (const server of servers) {
        expect(server.said).toMatch(/partition alarm of server-[01]: /);
        const { Gauges } = await ask<{ Gauges: { Name: string; Value: number }[] }>(server, '/v1/agent/metrics');
        expect(Gauges.find(({ Name }) => Name === 'drover.partition_alarm')?.Value).toBe(1);
      }
      await sleep(12_000);
      expect(await down()).toEqual([]);
      const released = await runProgram(DROVER, ['node:release', 'v3'], { env: { DROVER_HTTP_ADDR: servers[0].url } });
      expect(released.code, released.stderr).toBe(0);
      // A server on a busy machine waits longer before it accuses anybody.
      await until(async () => (await down()).length > 0, 45_000);
      expect(await down()).toEqual(['v3']);

      await many.start();
      await until(async () => (await alarms()).every((stands) => !stands) && (await down()).length === 0, 20_000);

      // Once more, and nobody comes back: it ends when its time is up, and what answers keeps its traffic.
      await many.kill();
      await until(async () => (await alarms()).every(Boolean), 20_000);
      await until(async () => (await alarms()).every((stands) => !stands), 90_000);
      await until(async () => (await down()).length === VANISHING.length + 1, 20_000);
      expect(await served.stop()).toEqual([whole]);
    },
  );
});

const isRoot = process.getuid?.() === 0;

requireComponent('ip')('a node on a network', () => {
  test.skipIf(!isRoot)(
    'whose line is cut is out within five seconds; one that only its servers do not reach stays',
    { timeout: 180_000 },
    async () => {
      const id = `a${process.pid % 100_000}`;
      const fleet = await start('lan', await NetnsGround.start({ id, net: `${200 + (process.pid % 50)}.7` }));
      const { cluster } = fleet;
      const [program, other] = fleet.programs as [Program, Program];

      const all = follow(fleet);
      for (const server of ['server-0', 'server-1']) await cluster.cut('agent-0', server);
      await become(fleet, 'agent-0', 'suspected');
      await sleep(6_000);
      const known = await Promise.all(cluster.servers.map((server) => ask<WireNode>(server, '/v2/nodes/agent-0')));
      const moments = all.map(({ seen }) => seen);
      expect(await stopped(all), JSON.stringify([known, moments])).toEqual(UNBROKEN);
      for (const server of ['server-0', 'server-1']) await cluster.heal('agent-0', server);
      await become(fleet, 'agent-0', 'up');

      await cluster.cut('agent-0');
      expect(await outOfAll(fleet, program, other)).toBeLessThan(5_000);
      await cluster.heal('agent-0');
      await become(fleet, 'agent-0', 'up');
      await until(async () => (await everything(fleet)).every((what) => what === WHOLE), 20_000);
    },
  );
});
