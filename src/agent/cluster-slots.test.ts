import { expect, test } from 'vitest';
import type { FakeClock } from '../lib/index.ts';
import { TIMING } from '../lib/index.ts';
import { Place } from '../listener/index.ts';
import type { NodeLink } from '../link/index.ts';
import { nodeRecordOf } from '../registry/testing.ts';
import { prefixRange } from '../store/index.ts';
import type { Found } from './liveness/index.ts';
import { startTestCluster, type TestCluster } from './testing-cluster.ts';

const { graceMs, suspectedAfterMs } = TIMING.lan;

interface Fleet extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly clock: FakeClock;
  readonly links: readonly NodeLink[];
  readonly places: readonly Place[];
  /** What a probe of any machine finds. */
  machine: Found;
}

/** So many nodes of a group over two servers, each with its place. */
async function start(count: number, most: string): Promise<Fleet> {
  const state = { machine: 'refuses' as Found };
  const region = { probe: () => Promise.resolve(state.machine) };
  const cluster = await startTestCluster({ servers: 2, timing: TIMING.lan, region });
  const links: NodeLink[] = [];
  const places: Place[] = [];
  for (let at = 0; at < count; at++) {
    const node = nodeRecordOf({ name: `n${at}`, address: '10.0.0.1', provisionGroup: 'web' });
    const link = await cluster.attach(at % 2, { node, instances: [], checks: [] });
    links.push(link);
    places.push(
      new Place({
        group: 'web',
        most,
        limitMs: 600_000,
        ask: (question) => link.ask('slot', question),
        clock: cluster.clock,
      }),
    );
  }
  return Object.assign(state, {
    cluster,
    clock: cluster.clock,
    links,
    places,
    async [Symbol.asyncDispose]() {
      for (const place of places) place[Symbol.dispose]();
      await cluster[Symbol.asyncDispose]();
    },
  });
}

/** Resolves with who of them may run. */
async function take({ cluster, places }: Fleet, of = places): Promise<number[]> {
  const asked = of.map(async (place) => ({ place, waiting: await place.take() }));
  await cluster.settle();
  const answers = await Promise.all(asked);
  return answers.filter(({ waiting }) => waiting === null).map(({ place }) => places.indexOf(place));
}

test('of a group no more than the limit get a place, over all servers; the others in the order they came', async () => {
  await using fleet = await start(12, '5');
  const first = await take(fleet);
  expect(first).toHaveLength(5);
  expect(await take(fleet)).toEqual(first);
  fleet.places[first[0] as number]?.release();
  await fleet.cluster.settle();
  expect(
    await take(
      fleet,
      fleet.places.filter((_, at) => at !== first[0]),
    ),
  ).toHaveLength(5);
});

test('a part of a group counts its nodes', async () => {
  await using fleet = await start(20, '10%');
  expect(await take(fleet)).toHaveLength(2);
});

test('the place of a machine that is gone is given to another; that of one whose agent alone is gone is kept', async () => {
  await using fleet = await start(4, '1');
  expect(await take(fleet)).toEqual([0]);
  fleet.links[0]?.close('gone');
  await fleet.clock.advance(suspectedAfterMs + graceMs + 5_000);
  const rest = fleet.places.slice(1);
  expect(await take(fleet, rest)).toEqual([]);
  fleet.machine = 'silent';
  await fleet.clock.advance(2_000);
  expect(await take(fleet, rest)).toHaveLength(1);
});

test('an agent that is back says that its run goes on, or that it has ended', async () => {
  await using fleet = await start(3, '1');
  expect(await take(fleet)).toEqual([0]);
  await fleet.clock.advance(30 * 60_000);
  expect(await take(fleet, fleet.places.slice(1))).toEqual([]);
  fleet.places[0]?.release();
  await fleet.cluster.settle();
  expect(await take(fleet, fleet.places.slice(1))).toHaveLength(1);
});

test('a node that cannot ask anybody waits, and says why', async () => {
  await using fleet = await start(1, '1');
  fleet.links[0]?.close('cut');
  expect(await fleet.places[0]?.take()).toEqual({ group: 'web', ahead: null, againMs: 1_000 });
});

test('a node has no place in a group that its record does not name, and may give back what it had', async () => {
  await using fleet = await start(1, '5');
  const ask = (action: 'take' | 'keep' | 'release', group: string) =>
    fleet.links[0]?.ask('slot', { action, group, most: '5', limitMs: null });
  for (const action of ['take', 'keep'] as const)
    await expect(ask(action, 'db')).rejects.toThrow('node n0 is not of group "db"');
  expect(await ask('release', 'db')).toMatchObject({ granted: false });
});

test('places are given in the order in which nodes came, whichever server they asked', async () => {
  await using fleet = await start(8, '1');
  const order: number[] = [];
  for (const place of fleet.places) await take(fleet, [place]);
  for (let turn = 0; turn < fleet.places.length; turn++) {
    const waiting = fleet.places.filter((_, at) => !order.includes(at));
    const granted = await take(fleet, waiting);
    expect(granted).toHaveLength(1);
    order.push(...granted);
    fleet.places[granted[0] as number]?.release();
    await fleet.cluster.settle();
  }
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
});

test('a run whose server is gone keeps its place, gives it back through another, and leaves nothing in the store', async () => {
  await using fleet = await start(4, '1');
  const { cluster, clock } = fleet;
  fleet.machine = 'accepts';
  expect(await take(fleet)).toEqual([0]);
  await cluster.stop(0);
  const { node } = cluster.server(1).parts.registry.held('n0') ?? expect.fail('n0 is not known');
  const moved = await cluster.attach(1, { node, instances: [], checks: [] });
  await clock.advance(60_000);
  const elsewhere = fleet.places.filter((_, at) => at % 2 === 1);
  expect(await take(fleet, elsewhere)).toEqual([]);
  await moved.ask('slot', { action: 'release', group: 'web', most: '1', limitMs: null });
  await cluster.settle();
  expect(await take(fleet, elsewhere)).toEqual([1]);
  fleet.places[1]?.release();
  fleet.places[3]?.release();
  await clock.advance(120_000);
  const { entries } = await cluster.store.read(prefixRange('slot/'));
  expect(entries.map(({ value }) => value)).toEqual([]);
});

test('a limit that was raised or lowered meanwhile counts for who comes, and takes nobody its place', async () => {
  await using fleet = await start(6, '3');
  expect(await take(fleet)).toEqual([0, 1, 2]);
  const ask = (at: number, most: string) =>
    fleet.links[at]?.ask('slot', { action: 'take', group: 'web', most, limitMs: null });
  expect(await ask(3, '1')).toMatchObject({ granted: false });
  expect(await ask(0, '1')).toMatchObject({ granted: true });
  fleet.places[0]?.release();
  fleet.places[1]?.release();
  await fleet.cluster.settle();
  const holders = (await ask(3, '1'))?.holders ?? [];
  expect(holders).toContain('n2');
  expect(holders.length).toBeLessThanOrEqual(3);
});

test('a node that goes over to another group gives back what it had, and has its place there', async () => {
  await using fleet = await start(2, '1');
  expect(await take(fleet)).toEqual([0]);
  const { registry } = fleet.cluster.server(0).parts;
  const record = registry.held('n0') ?? expect.fail('n0 is not known');
  await registry.syncNode({ ...record, node: { ...record.node, provisionGroup: 'db' } }, 1);
  const [link] = fleet.links;
  await link?.ask('slot', { action: 'release', group: 'web', most: '1', limitMs: null });
  expect(await link?.ask('slot', { action: 'take', group: 'db', most: '1', limitMs: null })).toMatchObject({
    granted: true,
  });
  await fleet.cluster.settle();
  expect(await take(fleet, fleet.places.slice(1))).toEqual([1]);
});
