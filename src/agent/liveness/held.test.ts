import { expect, test } from 'vitest';
import { FakeClock, TIMING } from '../../lib/index.ts';
import { healthOf, isRoutable } from '../../registry/index.ts';
import { instanceRecordOf, nodeRecordOf } from '../../registry/testing.ts';
import { MemoryStore } from '../../store/index.ts';
import { LeaderlessStore } from '../../store/testing.ts';
import { startTestCluster, type TestCluster } from '../testing-cluster.ts';
import type { Found } from './findings.ts';

const { suspectedAfterMs, graceMs, heartbeatMs } = TIMING.lan;

interface Scene extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly memory: MemoryStore;
  /** The way of all servers to the store. */
  readonly store: LeaderlessStore;
  /** What probes find. */
  found: Found;
}

/** Two servers over a store that can lose its quorum. */
async function start(): Promise<Scene> {
  await using stack = new AsyncDisposableStack();
  const clock = new FakeClock({ nowMs: 1_000 });
  const memory = stack.use(await MemoryStore.start({ clock, base: 1 }));
  const store = new LeaderlessStore(memory);
  const state = { found: 'accepts' as Found };
  const region = { probe: async () => state.found };
  const cluster = stack.use(await startTestCluster({ servers: 2, timing: TIMING.lan, clock, store, region }));
  const running = stack.move();
  return Object.assign(state, { cluster, memory, store, [Symbol.asyncDispose]: () => running.disposeAsync() });
}

const registration = (name: string, port = 80) => ({
  node: nodeRecordOf({ name, address: '10.0.0.1' }),
  instances: [instanceRecordOf({ service: 'api', id: name, port })],
  checks: [],
});
const aliveOf = (cluster: TestCluster, at: number, node = 'n1') => cluster.server(at).parts.catalog.node(node)?.alive;
const routable = (cluster: TestCluster, at: number): string[] =>
  cluster
    .server(at)
    .parts.catalog.instances('api')
    .filter((one) => isRoutable(healthOf(one)))
    .map(({ record }) => record.id);
const watched = (cluster: TestCluster, at: number): Set<string> => {
  const seen = new Set<string>();
  cluster
    .server(at)
    .parts.feed.onApplied(() => seen.add(`${aliveOf(cluster, at)?.status} ${routable(cluster, at).join(',')}`));
  return seen;
};

test('a node that dies while nothing can be written is out on its server, and everywhere when it can, without a flap', async () => {
  await using scene = await start();
  const { cluster, store, memory } = scene;
  await cluster.attach(0, registration('n1'));
  store.cut();
  scene.found = 'refuses';
  const { revision } = memory.status();
  cluster.cut(0);
  await cluster.clock.advance(suspectedAfterMs + heartbeatMs);
  expect(aliveOf(cluster, 0)).toMatchObject({ status: 'suspected', dead: { n1: 'refused' } });
  expect([routable(cluster, 0), routable(cluster, 1), memory.status().revision]).toEqual([[], ['n1'], revision]);
  const seen = watched(cluster, 0);
  store.cut(false);
  await cluster.clock.advance(heartbeatMs);
  expect([routable(cluster, 0), routable(cluster, 1)]).toEqual([[], []]);
  await cluster.clock.advance(2 * graceMs);
  expect([aliveOf(cluster, 0)?.status, aliveOf(cluster, 1)?.status]).toEqual(['down', 'down']);
  expect([...seen]).toEqual(['suspected ', 'down ']);
});

test('one that links again before that is as it was, and nothing is written of it', async () => {
  await using scene = await start();
  const { cluster, store } = scene;
  await cluster.attach(0, registration('n1'));
  store.cut();
  scene.found = 'refuses';
  cluster.cut(0);
  await cluster.clock.advance(suspectedAfterMs + heartbeatMs);
  expect(routable(cluster, 0)).toEqual([]);
  await cluster.attach(0, registration('n1'));
  expect([aliveOf(cluster, 0)?.status, routable(cluster, 0)]).toEqual(['up', ['n1']]);
  const seen = watched(cluster, 1);
  store.cut(false);
  await cluster.clock.advance(2 * graceMs);
  expect([...seen].filter((one) => one !== 'up n1')).toEqual([]);
  expect(aliveOf(cluster, 0)?.status).toBe('up');
});

test('nobody is said to be down before there was time to write that it linked elsewhere', async () => {
  await using scene = await start();
  const { cluster, store } = scene;
  await cluster.attach(0, registration('n1'));
  store.cut();
  cluster.cut(0);
  const seen = [watched(cluster, 0), watched(cluster, 1)];
  await cluster.clock.advance(suspectedAfterMs);
  await cluster.attach(1, registration('n1'));
  await cluster.clock.advance(10 * graceMs);
  expect([aliveOf(cluster, 0)?.status, aliveOf(cluster, 1)?.status]).toEqual(['suspected', 'up']);
  store.cut(false);
  await cluster.clock.advance(heartbeatMs);
  await cluster.server(1).parts.registry.syncNode(registration('n1'), 2);
  await cluster.clock.advance(5 * graceMs);
  for (const at of [0, 1]) expect(aliveOf(cluster, at)?.status).toBe('up');
  for (const one of seen)
    expect([...one].filter((text) => !text.endsWith(' n1') || text.startsWith('down'))).toEqual([]);
});

test('a node that came to another server meanwhile is spoken for there', async () => {
  await using scene = await start();
  const { cluster, store } = scene;
  await cluster.attach(0, registration('n1'));
  store.cut();
  await cluster.attach(1, registration('n1'));
  scene.found = 'refuses';
  cluster.cut(1);
  await cluster.clock.advance(suspectedAfterMs + 2 * heartbeatMs);
  expect(routable(cluster, 1)).toEqual([]);
});

test('so many at once are not believed then either, for as long as an alarm stands', async () => {
  await using scene = await start();
  const { cluster, store } = scene;
  const names = Array.from({ length: 8 }, (_, at) => `n${at}`);
  for (const name of names) await cluster.attach(0, registration(name));
  store.cut();
  scene.found = 'silent';
  cluster.cut(0);
  await cluster.clock.advance(suspectedAfterMs + 120_000);
  expect(cluster.server(0).parts.liveness.alarm).toMatchObject({ server: 's1' });
  expect(routable(cluster, 0)).toHaveLength(8);
  expect(cluster.server(1).parts.liveness.alarm).toBeNull();
  store.cut(false);
  await cluster.clock.advance(2_000);
  expect(cluster.server(1).parts.liveness.alarm).toMatchObject({ server: 's1' });
  for (const name of names) await cluster.attach(0, registration(name));
  await cluster.clock.advance(6_000);
  for (const at of [0, 1]) expect(cluster.server(at).parts.liveness.alarm).toBeNull();
  expect(routable(cluster, 1)).toHaveLength(8);
});
