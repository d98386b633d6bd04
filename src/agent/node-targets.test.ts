import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseServiceRegistration } from '../api/index.ts';
import type { ServiceRegistration } from '../api/index.ts';
import { NodeTargets, regionTargets } from './node-targets.ts';
import { startTestNode, startTestRegion, type TestRegion } from './testing.ts';

const service = (value: object): ServiceRegistration => parseServiceRegistration(value, { unknownKeys: 'refuse' });
const DB = service({ name: 'db', port: 5432, check: { ttl: '1h', status: 'passing' } });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-node-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const targetsOf = ({ registry }: TestRegion) => regionTargets(registry.catalog, registry.feed);

test('regionTargets() has the checks of a node and of one of its instances', async () => {
  await using region = await startTestRegion();
  await using started = await startTestNode(region, { directory });
  const targets = targetsOf(region);
  expect(targets.checksOf({ node: 'n1', serviceId: 'db' })).toBeNull();
  expect(targets.checksOf({ node: 'n1', serviceId: '' })).toEqual([]);
  expect(targets.checksOf({ node: 'n2', serviceId: '' })).toBeNull();
  let changes = 0;
  const stop = targets.onChange({ node: 'n1', serviceId: 'db' }, () => changes++);
  await started.node.registerService(DB);
  await started.node.setMaintenance(null, true, 'repair');
  const ids = (targets.checksOf({ node: 'n1', serviceId: 'db' }) ?? []).map(({ id }) => id);
  expect(ids).toEqual(['_node_maintenance', 'service:db']);
  expect(targets.checksOf({ node: 'n1', serviceId: '' })).toMatchObject([{ id: '_node_maintenance' }]);
  expect(changes).toBeGreaterThanOrEqual(2);
  stop();
  const before = changes;
  await started.node.deregisterService('db');
  expect(changes).toBe(before);
  expect(targets.checksOf({ node: 'n1', serviceId: 'db' })).toBeNull();
});

test('regionTargets() has a node that left as critical', async () => {
  await using region = await startTestRegion();
  await using started = await startTestNode(region, { directory });
  await started.node.registerService(DB);
  await started.node.leave();
  expect(targetsOf(region).checksOf({ node: 'n1', serviceId: 'db' })?.[0]).toMatchObject({
    id: 'serfHealth',
    status: 'critical',
    output: 'the agent left',
  });
});

test('NodeTargets asks the own node itself, and the region for others', () => {
  const asked: string[] = [];
  const elsewhere = {
    checksOf: ({ node }: { node: string }) => (asked.push(node), null),
    onChange: ({ node }: { node: string }) => (asked.push(`on ${node}`), () => undefined),
  };
  const targets = new NodeTargets('n1', elsewhere);
  let changes = 0;
  const stop = targets.onChange({ node: 'n1', serviceId: 'db' }, () => changes++);
  targets.follow({ instances: () => [DB.instance], checks: () => [] });
  expect(targets.checksOf({ node: 'n1', serviceId: 'db' })).toEqual([]);
  expect(targets.checksOf({ node: 'n1', serviceId: 'web' })).toBeNull();
  expect(targets.checksOf({ node: 'n1', serviceId: '' })).toEqual([]);
  expect(asked).toEqual([]);
  targets.checksOf({ node: 'n2', serviceId: 'db' });
  targets.onChange({ node: 'n2', serviceId: 'db' }, () => undefined);
  expect(asked).toEqual(['n2', 'on n2']);
  targets.changed();
  stop();
  targets.changed();
  expect(changes).toBe(2);
});

test('an alias of a node follows its own services, also without its link', async () => {
  await using region = await startTestRegion();
  await using started = await startTestNode(region, { directory });
  await started.node.registerService(DB);
  await started.node.registerService(service({ name: 'web', check: { alias_service: 'db' } }));
  await region.clock.advance(1);
  expect(region.statuses()).toMatchObject({ 'n1/service:web': 'passing' });
  region.cut('the server went away');
  started.node.updateTtl('service:db', 'critical', 'gone').catch(() => undefined);
  await new Promise((resolve) => setImmediate(resolve));
  expect(started.node.checks().find(({ id }) => id === 'service:web')).toMatchObject({
    status: 'critical',
    output: 'Aliased check "Service \'db\' check" failing: gone',
  });
});
