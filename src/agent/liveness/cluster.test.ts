import { describe, expect, test } from 'vitest';
import { FakeClock, TIMING } from '../../lib/index.ts';
import { healthOf, isRoutable } from '../../registry/index.ts';
import { instanceRecordOf, nodeRecordOf } from '../../registry/testing.ts';
import { startTestCluster, type TestCluster, type TestClusterOptions } from '../testing-cluster.ts';
import type { Found } from './findings.ts';

const { suspectedAfterMs, graceMs } = TIMING.lan;

const registration = (name: string) => ({
  node: nodeRecordOf({ name, address: '10.0.0.1' }),
  instances: [instanceRecordOf({ service: 'api', id: name, port: 80 })],
  checks: [],
});

interface Probed {
  readonly cluster: TestCluster;
  /** What probes find, by server. */
  readonly found: Record<string, Found>;
}

async function start(options: TestClusterOptions = {}): Promise<Probed> {
  const found: Record<string, Found> = {};
  const region = { probe: async () => found['all'] ?? 'accepts' };
  return { cluster: await startTestCluster({ servers: 2, timing: TIMING.lan, ...options, region }), found };
}

const status = (cluster: TestCluster, at: number, node = 'n1'): string | undefined =>
  cluster.server(at).parts.catalog.node(node)?.alive.status;

const routable = (cluster: TestCluster, at: number): number =>
  cluster
    .server(at)
    .parts.catalog.instances('api')
    .filter((one) => isRoutable(healthOf(one))).length;

test('a server speaks for the nodes that are linked to it, and for no others', async () => {
  const { cluster } = await start();
  await using _cluster = cluster;
  await cluster.attach(0, registration('n1'));
  await cluster.attach(1, registration('n2'));
  cluster.cut(0);
  await cluster.clock.advance(suspectedAfterMs + 1_000);
  for (const at of [0, 1]) expect([status(cluster, at), status(cluster, at, 'n2')]).toEqual(['suspected', 'up']);
});

test('a node that has linked to another server meanwhile is not accused', async () => {
  const { cluster } = await start();
  await using _cluster = cluster;
  await cluster.attach(0, registration('n1'));
  cluster.cut(0);
  await cluster.clock.advance(suspectedAfterMs / 2);
  await cluster.attach(1, registration('n1'));
  const seen = new Set<string | undefined>();
  cluster.server(0).parts.feed.onApplied(() => seen.add(status(cluster, 0)));
  await cluster.clock.advance(5 * graceMs);
  expect(seen.has('suspected')).toBe(false);
  expect(status(cluster, 1)).toBe('up');
});

test('the nodes of a server that is gone get the grace to link elsewhere, and nothing changes for those that do', async () => {
  const { cluster } = await start();
  await using _cluster = cluster;
  await cluster.attach(0, registration('n1'));
  await cluster.attach(0, registration('n2'));
  await cluster.stop(0);
  const seen = new Set<string | undefined>();
  cluster.server(1).parts.feed.onApplied(() => seen.add(status(cluster, 1)));
  await cluster.clock.advance(suspectedAfterMs);
  await cluster.attach(1, registration('n1'));
  await cluster.clock.advance(graceMs);
  expect([...seen].filter((one) => one !== 'up')).toEqual([]);
  expect(status(cluster, 1, 'n2')).toBe('suspected');
  await cluster.clock.advance(graceMs + 2_000);
  expect(cluster.server(1).parts.catalog.node('n2')?.alive).toMatchObject({ status: 'down', answering: ['n2'] });
  expect(routable(cluster, 1)).toBe(2);
});

test('what probes found on one server counts on all', async () => {
  const { cluster, found } = await start();
  await using _cluster = cluster;
  await cluster.attach(0, registration('n1'));
  found['all'] = 'refuses';
  cluster.cut(0);
  await cluster.clock.advance(suspectedAfterMs + 1_000);
  expect([routable(cluster, 0), routable(cluster, 1)]).toEqual([0, 0]);
  found['all'] = 'accepts';
  await cluster.clock.advance(2_000);
  expect([routable(cluster, 0), routable(cluster, 1)]).toEqual([1, 1]);
});

test('one alarm stands for all servers, and ends on all', async () => {
  const { cluster, found } = await start();
  await using _cluster = cluster;
  const names = Array.from({ length: 8 }, (_, at) => `n${at}`);
  for (const [at, name] of names.entries()) await cluster.attach(at % 2, registration(name));
  found['all'] = 'silent';
  for (const at of [0, 1]) cluster.cut(at);
  await cluster.clock.advance(suspectedAfterMs + graceMs + 5_000);
  for (const at of [0, 1]) expect(cluster.server(at).parts.liveness.alarm).not.toBeNull();
  expect(new Set(names.map((name) => status(cluster, 0, name)))).toEqual(new Set(['suspected']));
  for (const [at, name] of names.entries()) await cluster.attach(at % 2, registration(name));
  await cluster.clock.advance(3_000);
  for (const at of [0, 1]) expect(cluster.server(at).parts.liveness.alarm).toBeNull();
  expect(new Set(names.map((name) => status(cluster, 1, name)))).toEqual(new Set(['up']));
});

test('a node that was gone for very long is removed with what it held, once, and one that answers is not', async () => {
  await using cluster = await startTestCluster({
    servers: 2,
    timing: TIMING.lan,
    region: { reapAfterMs: 60_000, probe: async ({ port }) => (port === 81 ? 'accepts' : 'refuses') },
  });
  await cluster.attach(0, registration('n1'));
  await cluster.attach(0, {
    ...registration('n2'),
    instances: [instanceRecordOf({ service: 'api', id: 'n2', port: 81 })],
  });
  cluster.cut(0);
  await cluster.clock.advance(2 * graceMs);
  expect([status(cluster, 0), status(cluster, 0, 'n2')]).toEqual(['down', 'down']);
  await cluster.clock.advance(180_000);
  expect([status(cluster, 0), status(cluster, 1, 'n2')]).toEqual([undefined, 'down']);
  expect(routable(cluster, 1)).toBe(1);
});

describe('a node that is only late', () => {
  const PROBE_MS = 1_000;
  async function late(): Promise<{ cluster: TestCluster; looks: string[]; found: { word: Found } }> {
    const looks: string[] = [];
    const found = { word: 'silent' as Found };
    const clock = new FakeClock({ nowMs: 1_000 });
    const probe = async ({ address }: { readonly address: string }, timeoutMs: number): Promise<Found> => {
      looks.push(`${address} ${timeoutMs}`);
      await clock.sleep(PROBE_MS);
      return found.word;
    };
    const cluster = await startTestCluster({ servers: 1, timing: TIMING.lan, clock, region: { probe } });
    await cluster.attach(0, registration('n1'));
    return { cluster, looks, found };
  }

  test('is looked at before the silence is over, so that its machine that is gone is out as soon as it is', async () => {
    const { cluster, looks } = await late();
    await using _cluster = cluster;
    const { liveness } = cluster.server(0).parts;
    liveness.quiet('n1');
    await cluster.clock.advance(PROBE_MS);
    expect([looks, status(cluster, 0), routable(cluster, 0)]).toEqual([['10.0.0.1 1000'], 'up', 1]);
    liveness.unlinked('n1', 'nothing was heard', suspectedAfterMs);
    await cluster.clock.advance(TIMING.lan.heartbeatMs / 4);
    expect([status(cluster, 0), routable(cluster, 0)]).toEqual(['suspected', 0]);
  });

  test('is accused of nothing while its link stands, nor by what was found in a silence before', async () => {
    const { cluster, found, looks } = await late();
    await using _cluster = cluster;
    const { liveness } = cluster.server(0).parts;
    liveness.quiet('n1');
    await cluster.clock.advance(graceMs);
    expect([looks.length, status(cluster, 0), routable(cluster, 0)]).toEqual([1, 'up', 1]);
    found.word = 'accepts';
    liveness.unlinked('n1', 'the line is cut', suspectedAfterMs);
    const seen = new Set<number>();
    cluster.server(0).parts.feed.onApplied(() => seen.add(routable(cluster, 0)));
    await cluster.clock.advance(5_000);
    expect([status(cluster, 0), [...seen]]).toEqual(['suspected', [1]]);
  });

  test('and links again is looked at anew', async () => {
    const { cluster, found } = await late();
    await using _cluster = cluster;
    const { liveness } = cluster.server(0).parts;
    liveness.quiet('n1');
    liveness.linked('n1');
    await cluster.clock.advance(PROBE_MS);
    found.word = 'accepts';
    liveness.unlinked('n1', 'the line is cut', suspectedAfterMs);
    await cluster.clock.advance(5_000);
    expect([status(cluster, 0), routable(cluster, 0)]).toEqual(['suspected', 1]);
  });
});
