import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { TIMING } from '../../lib/index.ts';
import { healthOf, isRoutable, type AliveRecord } from '../../registry/index.ts';
import { startTestNode, startTestRegion, type TestRegion } from '../testing.ts';

const { suspectedAfterMs, graceMs, heartbeatMs } = TIMING.lan;
/** A look may come this much later. */
const LOOK_MS = heartbeatMs / 4;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-liveness-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const recordOf = ({ registry }: TestRegion, node = 'n1'): AliveRecord | undefined => registry.catalog.node(node)?.alive;
const aliveOf = (region: TestRegion, node?: string): string | undefined => recordOf(region, node)?.status;
const routable = ({ registry: { catalog } }: TestRegion, service: string): string[] =>
  catalog
    .instances(service)
    .filter((instance) => isRoutable(healthOf(instance)))
    .map(({ record, node }) => `${record.id}@${node.record.name}`);

test('Liveness suspects a node whose link is gone and does not come back, then takes it for down, with the evidence', async () => {
  await using region = await startTestRegion();
  const node = await startTestNode(region, { directory });
  await node[Symbol.asyncDispose]();
  await region.clock.advance(suspectedAfterMs - 1);
  expect(aliveOf(region)).toBe('up');
  await region.clock.advance(1 + LOOK_MS);
  expect(aliveOf(region)).toBe('suspected');
  await region.clock.advance(graceMs + LOOK_MS);
  expect(recordOf(region)).toMatchObject({ status: 'down', evidence: 'its link is gone: the agent stops' });
  await using again = await startTestNode(region, { directory });
  expect(again.node.record.name).toBe('n1');
  expect(aliveOf(region)).toBe('up');
  await region.clock.advance(10 * graceMs);
  expect(aliveOf(region)).toBe('up');
});

test('Liveness lets a node be that links again in time', async () => {
  await using region = await startTestRegion();
  await using _node = await startTestNode(region, { directory });
  const statuses: (string | undefined)[] = [];
  region.registry.feed.onApplied(() => statuses.push(aliveOf(region)));
  region.cut('a moment');
  await region.clock.advance(suspectedAfterMs + 10 * graceMs);
  expect(new Set(statuses)).toEqual(new Set(['up']));
});

test('Liveness suspects nodes that the region knows and that do not link after the server started', async () => {
  await using region = await startTestRegion({ nodes: ['n1', 'n2'] });
  await using _node = await startTestNode(region, { directory });
  await region.clock.advance(graceMs + LOOK_MS);
  expect([aliveOf(region), aliveOf(region, 'n2')]).toEqual(['up', 'suspected']);
  await region.clock.advance(graceMs + LOOK_MS);
  expect([aliveOf(region), aliveOf(region, 'n2')]).toEqual(['up', 'down']);
});

test.each(['left', 'down'] as const)('Liveness does not suspect a node that is %s', async (alive) => {
  await using region = await startTestRegion({ nodes: [{ name: 'n1', alive }] });
  await region.clock.advance(10 * graceMs);
  expect(aliveOf(region)).toBe(alive);
});

test('Liveness lets nodes be that no agent vouches for', async () => {
  await using region = await startTestRegion({ nodes: [{ name: 'n1', external: true }] });
  const { revision } = region.registry.feed;
  await region.clock.advance(10 * graceMs);
  expect(region.registry.feed.revision).toBe(revision);
});

test('Liveness.rest() says nothing of nodes that stop with their server', async () => {
  await using region = await startTestRegion();
  const node = await startTestNode(region, { directory });
  region.liveness.rest();
  await node[Symbol.asyncDispose]();
  await region.clock.advance(10 * graceMs);
  expect(aliveOf(region)).toBe('up');
});

test('Liveness.linked() takes back a suspicion that was on its way', async () => {
  await using region = await startTestRegion({ nodes: ['n1'] });
  region.liveness.unlinked('n1', 'cut');
  await region.clock.advance(suspectedAfterMs + LOOK_MS);
  expect(aliveOf(region)).toBe('suspected');
  region.liveness.linked('n1');
  await region.clock.advance(10 * graceMs);
  expect(aliveOf(region)).toBe('up');
});

describe('probes', () => {
  const services = [
    { service: 'api', port: 81 },
    { service: 'db', port: 82 },
    { service: 'mail', port: 83 },
    { service: 'cron' },
  ];

  async function silent(found: Record<string, 'accepts' | 'silent'> = {}): Promise<TestRegion> {
    const region = await startTestRegion({ nodes: [{ name: 'n1', address: '10.0.0.1', services }] });
    for (const [target, word] of Object.entries(found)) region.found.set(target, word);
    region.liveness.unlinked('n1', 'cut');
    await region.clock.advance(suspectedAfterMs + LOOK_MS);
    return region;
  }
  const all = (region: TestRegion): string[] =>
    services.filter(({ service }) => routable(region, service).length > 0).map(({ service }) => service);

  test('what does not answer is critical at once; the rest stays, with what cannot be probed', async () => {
    await using region = await silent({ '10.0.0.1:81': 'accepts', '10.0.0.1:82': 'silent' });
    expect(recordOf(region)).toMatchObject({ status: 'suspected', dead: { db: 'unseen', mail: 'refused' } });
    expect(all(region)).toEqual(['api', 'cron']);
  });

  test('one that dies during the suspicion is out with the next round, and one that is reached again is back', async () => {
    await using region = await silent({ '10.0.0.1:81': 'accepts' });
    region.found.set('10.0.0.1:82', 'accepts');
    region.found.delete('10.0.0.1:81');
    await region.clock.advance(heartbeatMs + LOOK_MS);
    expect(all(region)).toEqual(['db', 'cron']);
  });

  test('a node is down after the grace; what answers stays until it stops, and what came back late stays out', async () => {
    await using region = await silent({ '10.0.0.1:81': 'accepts', '10.0.0.1:82': 'accepts' });
    await region.clock.advance(graceMs + LOOK_MS);
    expect(recordOf(region)).toMatchObject({ status: 'down', answering: ['api', 'db'] });
    expect(all(region)).toEqual(['api', 'db']);
    region.found.delete('10.0.0.1:81');
    region.found.set('10.0.0.1:83', 'accepts');
    await region.clock.advance(heartbeatMs + LOOK_MS);
    expect(all(region)).toEqual(['db']);
    region.found.delete('10.0.0.1:82');
    await region.clock.advance(heartbeatMs + LOOK_MS);
    expect([aliveOf(region), all(region)]).toEqual(['down', []]);
  });

  test('nothing is written while nothing becomes different', async () => {
    await using region = await silent({ '10.0.0.1:81': 'accepts' });
    const { revision } = region.registry.feed;
    await region.clock.advance(graceMs / 2);
    expect(region.registry.feed.revision).toBe(revision);
  });
});

describe('a server that stood still', () => {
  test('does not accuse on account of the time that it missed', async () => {
    await using region = await startTestRegion({ nodes: ['n1'] });
    region.liveness.unlinked('n1', 'cut');
    region.clock.skip(60_000);
    await region.clock.advance(suspectedAfterMs);
    expect(aliveOf(region)).toBe('up');
    await region.clock.advance(suspectedAfterMs + LOOK_MS);
    expect(aliveOf(region)).toBe('suspected');
  });
});

describe('the guard against a partition', () => {
  const names = Array.from({ length: 10 }, (_, at) => `n${at}`);
  const nodes = names.map((name, at) => ({ name, address: `10.0.0.${at}`, services: [{ service: 'api', port: 80 }] }));
  const lose = async (region: TestRegion, count: number): Promise<void> => {
    for (const name of names.slice(0, count)) region.liveness.unlinked(name, 'cut');
    for (const name of names.slice(count)) region.liveness.linked(name);
    await region.clock.advance(suspectedAfterMs + LOOK_MS);
  };
  const silence = (region: TestRegion): void => {
    for (const { address } of nodes) region.found.set(`${address}:80`, 'silent');
  };
  const statuses = (region: TestRegion): string[] => [...new Set(names.map((name) => aliveOf(region, name) ?? ''))];

  test('keeps everybody in when most vanish and nothing refuses, and says so; it ends when its time is up', async () => {
    await using region = await startTestRegion({ nodes });
    silence(region);
    await lose(region, 10);
    await region.clock.advance(5 * graceMs);
    expect(region.alarms.alarm).toMatchObject({ server: 'server', forMs: 600_000 });
    expect(region.log.lines).toContainEqual(expect.stringContaining('partition alarm of server: 10 of 10 nodes'));
    expect(statuses(region)).toEqual(['suspected']);
    expect(routable(region, 'api')).toHaveLength(10);
    await region.clock.advance(600_000);
    expect(region.alarms.alarm).toBeNull();
    expect(statuses(region)).toEqual(['down']);
    expect(routable(region, 'api')).toHaveLength(0);
  });

  test('ends by itself when nodes come back', async () => {
    await using region = await startTestRegion({ nodes });
    silence(region);
    await lose(region, 10);
    await region.clock.advance(1_000);
    expect(region.alarms.alarm).not.toBeNull();
    for (const name of names) region.liveness.linked(name);
    await region.clock.advance(6_000);
    expect(region.alarms.alarm).toBeNull();
    expect(statuses(region)).toEqual(['up']);
  });

  test('lets single nodes go that are released', async () => {
    await using region = await startTestRegion({ nodes });
    silence(region);
    await lose(region, 10);
    await region.clock.advance(2 * graceMs);
    await region.liveness.release('n1');
    await region.clock.advance(1_000);
    expect(names.filter((name) => aliveOf(region, name) === 'down')).toEqual(['n1']);
  });

  test.each([
    ['few vanish', 3, 'silent'],
    ['their instances refuse', 10, 'refuses'],
  ] as const)('does not hold when %s', async (_when, count, word) => {
    await using region = await startTestRegion({ nodes });
    if (word === 'silent') silence(region);
    await lose(region, count);
    await region.clock.advance(graceMs + LOOK_MS);
    expect(region.alarms.alarm).toBeNull();
    expect(names.filter((name) => aliveOf(region, name) === 'down')).toHaveLength(count);
    expect(routable(region, 'api')).toHaveLength(10 - count);
  });

  test('nodes that vanish after an alarm ended raise another', async () => {
    await using region = await startTestRegion({ nodes });
    silence(region);
    await lose(region, 10);
    await region.clock.advance(1_000);
    for (const name of names) region.liveness.linked(name);
    await region.clock.advance(10_000);
    await lose(region, 6);
    await region.clock.advance(1_000);
    expect(region.alarms.alarm).not.toBeNull();
  });
});
