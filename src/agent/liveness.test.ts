import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TIMING } from '../lib/index.ts';
import { startTestNode, startTestRegion, type TestRegion } from './testing.ts';

const { suspectedAfterMs, graceMs } = TIMING.lan;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-liveness-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const aliveOf = ({ registry }: TestRegion, node = 'n1'): string | undefined =>
  registry.catalog.node(node)?.alive.status;

test('Liveness suspects a node whose link is gone and does not come back, then takes it for down, with the evidence', async () => {
  await using region = await startTestRegion();
  const node = await startTestNode(region, { directory });
  await node[Symbol.asyncDispose]();
  await region.clock.advance(suspectedAfterMs - 1);
  expect(aliveOf(region)).toBe('up');
  await region.clock.advance(1);
  expect(aliveOf(region)).toBe('suspected');
  await region.clock.advance(graceMs);
  expect(region.registry.catalog.node('n1')?.alive).toMatchObject({
    status: 'down',
    evidence: 'its link is gone: the agent stops',
  });
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
  region.liveness.expectAll();
  await using _node = await startTestNode(region, { directory });
  await region.clock.advance(graceMs);
  expect([aliveOf(region), aliveOf(region, 'n2')]).toEqual(['up', 'suspected']);
  await region.clock.advance(graceMs);
  expect([aliveOf(region), aliveOf(region, 'n2')]).toEqual(['up', 'down']);
});

test.each(['left', 'down'] as const)('Liveness does not suspect a node that is %s', async (alive) => {
  await using region = await startTestRegion({ nodes: [{ name: 'n1', alive }] });
  region.liveness.expectAll();
  await region.clock.advance(10 * graceMs);
  expect(aliveOf(region)).toBe(alive);
});

test('Liveness lets nodes be that no agent vouches for', async () => {
  await using region = await startTestRegion({ nodes: [{ name: 'n1', external: true }] });
  const { revision } = region.registry.feed;
  region.liveness.expectAll();
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
  await region.clock.advance(suspectedAfterMs);
  region.liveness.linked('n1');
  await region.clock.advance(10 * graceMs);
  expect(aliveOf(region)).toBe('up');
});
