import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseCheckRegistration, parseServiceRegistration } from '../api/index.ts';
import type { CheckRegistration, ServiceRegistration } from '../api/index.ts';
import { definitionOf } from '../registry/testing.ts';
import type { HostedNode } from './hosted-node.ts';
import { startTestNode, startTestRegion, type TestRegion } from './testing.ts';

const service = (value: object): ServiceRegistration => parseServiceRegistration(value, { unknownKeys: 'refuse' });
const check = (value: object): CheckRegistration => parseCheckRegistration(value, { unknownKeys: 'refuse' });

const WEB = { name: 'web', port: 80, check: { ttl: '30s' } };
const CHECKED = definitionOf({ id: 'web', checks: [{ id: 'mine', ttlMs: 20_000, name: 'by definition' }] });

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-node-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** What the region holds of a node's instances. */
const instancesIn = ({ registry }: TestRegion, node = 'n1'): string[] =>
  [...(registry.catalog.node(node)?.instances.values() ?? [])].map(({ record }) => `${record.id}:${record.port}`);

const localChecks = (node: HostedNode): string[] => node.checks().map((one) => `${one.id} ${one.status}`);

describe('HostedNode.registerService()', () => {
  test('HostedNode.registerService() is in the region, with its check, when it resolves', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    const revision = await started.node.registerService(service(WEB));
    expect(revision).toBe(region.registry.feed.revision);
    expect(instancesIn(region)).toEqual(['web:80']);
    expect(region.statuses()).toEqual({ 'n1/service:web': 'unknown' });
    expect(started.node.services().map((one) => one.id)).toEqual(['web']);
  });

  test('HostedNode.registerService() of the same again writes nothing', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    const first = await started.node.registerService(service(WEB));
    const lines = await readFile(path.join(directory, 'registrations.jsonl'), 'utf8');
    expect(await started.node.registerService(service(WEB))).toBe(first);
    expect(region.registry.feed.revision).toBe(first);
    expect(await readFile(path.join(directory, 'registrations.jsonl'), 'utf8')).toBe(lines);
  });

  test('HostedNode.registerService() keeps checks of before, and drops them with replaceChecks', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service({ ...WEB, check: { id: 'old', ttl: '30s' } }));
    await started.node.updateTtl('old', 'passing', '');
    await started.node.registerService(service({ ...WEB, port: 81, check: { id: 'new', ttl: '30s' } }));
    expect(region.statuses()).toEqual({ 'n1/new': 'unknown', 'n1/old': 'passing' });
    await started.node.registerService(service({ ...WEB, port: 82, check: { id: 'new', ttl: '30s' } }), {
      replaceChecks: true,
    });
    expect(region.statuses()).toEqual({ 'n1/new': 'unknown' });
    expect(instancesIn(region)).toEqual(['web:82']);
  });

  test.each([
    ['a script from afar', { args: ['true'], interval: '1s' }, 'HEALTH_REMOTE_SCRIPTS_DISABLED'],
    ['a check that cannot be', { tcp: 'nowhere', interval: '1s' }, 'HEALTH_INVALID_CHECK'],
  ])('HostedNode.registerService() with %s leaves everything as it was', async (_what, bad, code) => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service(WEB));
    await started.node.updateTtl('service:web', 'passing', 'ok');
    const before = [region.registry.feed.revision, started.node.services(), localChecks(started.node)];
    const change = service({ name: 'web', port: 81, checks: [{ id: 'good', ttl: '1s' }, bad] });
    await expect(started.node.registerService(change, { replaceChecks: true })).rejects.toMatchObject({ code });
    expect([region.registry.feed.revision, started.node.services(), localChecks(started.node)]).toEqual(before);
  });
});

describe('HostedNode', () => {
  test('HostedNode.deregisterService() takes its checks and its maintenance away', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service(WEB));
    await started.node.setMaintenance('web', true, '');
    await started.node.deregisterService('web');
    expect(instancesIn(region)).toEqual([]);
    expect(region.statuses()).toEqual({});
    expect(started.node.checks()).toEqual([]);
    await expect(started.node.deregisterService('web')).rejects.toMatchObject({
      code: 'AGENT_UNKNOWN_SERVICE',
      message: 'Unknown service ID "web". Ensure that the service ID is passed, not the service name.',
    });
  });

  test('HostedNode.registerCheck() is of the node or of one of its services', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerCheck(check({ name: 'disk', ttl: '30s', status: 'passing' }));
    const orphan = check({ name: 'x', service_id: 'web', ttl: '30s' });
    await expect(started.node.registerCheck(orphan)).rejects.toMatchObject({
      code: 'AGENT_CHECK_WITHOUT_SERVICE',
      message: 'ServiceID "web" does not exist',
    });
    await started.node.registerService(service({ name: 'web' }));
    await started.node.registerCheck(orphan);
    expect(region.statuses()).toEqual({ 'n1/disk': 'passing', 'n1/x': 'unknown' });
    await started.node.deregisterCheck('disk');
    expect(region.statuses()).toEqual({ 'n1/x': 'unknown' });
    await expect(started.node.deregisterCheck('disk')).rejects.toMatchObject({ code: 'AGENT_UNKNOWN_CHECK' });
  });

  test('HostedNode.updateTtl() tells each change of status at once, and one of output not at all', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service(WEB));
    for (const status of ['passing', 'warning', 'critical', 'passing', 'critical'] as const) {
      await started.node.updateTtl('service:web', status, status);
      expect(region.statuses()['n1/service:web']).toBe(status);
    }
    const revision = region.registry.feed.revision;
    await started.node.updateTtl('service:web', 'critical', 'other words');
    expect(region.registry.feed.revision).toBe(revision);
    expect(started.node.checks()[0]?.output).toBe('other words');
    await expect(started.node.updateTtl('nope', 'passing', '')).rejects.toMatchObject({ code: 'AGENT_UNKNOWN_CHECK' });
  });

  test('HostedNode tells the region when a TTL check expires', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service(WEB));
    await started.node.updateTtl('service:web', 'passing', '');
    await region.clock.advance(31_000);
    expect(region.statuses()).toEqual({ 'n1/service:web': 'critical' });
  });

  test('HostedNode.setMaintenance() puts the node or a service into maintenance and lifts it', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service({ name: 'web' }));
    await started.node.setMaintenance(null, true, 'new disk');
    await started.node.setMaintenance('web', true, '');
    expect(started.node.checks().map(({ id, notes }) => [id, notes])).toEqual([
      ['_node_maintenance', 'new disk'],
      ['_service_maintenance:web', expect.stringContaining('no reason was provided')],
    ]);
    expect(region.statuses()).toEqual({
      'n1/_node_maintenance': 'critical',
      'n1/_service_maintenance:web': 'critical',
    });
    await started.node.setMaintenance(null, false, '');
    await started.node.setMaintenance('web', false, '');
    const lifted = await started.node.setMaintenance('web', false, '');
    expect(lifted).toBe(region.registry.feed.revision);
    expect(region.statuses()).toEqual({});
    await expect(started.node.setMaintenance('nope', true, '')).rejects.toMatchObject({
      code: 'AGENT_UNKNOWN_SERVICE',
    });
  });

  test('HostedNode.reconfigure() takes up what files say now, and keeps what the API said', async () => {
    await using region = await startTestRegion();
    const first = {
      services: [service(WEB), service({ name: 'gone', check: { ttl: '30s' } })],
      checks: [check({ name: 'disk', ttl: '1m' })],
    };
    await using started = await startTestNode(region, { directory, ...first });
    await started.node.registerService(service({ name: 'api', port: 1 }));
    await started.node.registerCheck(check({ name: 'extra', service_id: 'web', ttl: '1m' }));
    await started.node.updateTtl('service:web', 'passing', '');
    const record = { ...started.node.record, runs: ['web'] };
    await started.node.reconfigure(record, { services: [service({ ...WEB, port: 81 })], checks: [] });
    expect(instancesIn(region)).toEqual(['api:1', 'web:81']);
    expect(region.statuses()).toEqual({ 'n1/extra': 'unknown', 'n1/service:web': 'passing' });
    expect(region.registry.catalog.node('n1')?.record.runs).toEqual(['web']);
  });
});

describe('HostedNode after a restart', () => {
  test('HostedNode has what the API registered, with the statuses that the region holds', async () => {
    await using region = await startTestRegion();
    {
      await using before = await startTestNode(region, { directory });
      await before.node.registerService(service(WEB));
      await before.node.registerCheck(check({ name: 'disk', ttl: '1m' }));
      await before.node.setMaintenance('web', true, 'why');
      await before.node.updateTtl('service:web', 'passing', 'ok');
    }
    const revision = region.registry.feed.revision;
    await using started = await startTestNode(region, { directory });
    expect(started.node.services().map((one) => one.id)).toEqual(['web']);
    const statuses = { 'n1/_service_maintenance:web': 'critical', 'n1/disk': 'unknown', 'n1/service:web': 'passing' };
    expect(region.statuses()).toEqual(statuses);
    const epochOnly = region.registry.feed.revision - revision;
    expect(epochOnly).toBeLessThanOrEqual(1);
  });

  test('HostedNode forgets what the API registered where nothing is kept', async () => {
    await using region = await startTestRegion();
    for (const [keepsRegistrations, expected] of [
      [false, []],
      [false, []],
    ] as const) {
      await using started = await startTestNode(region, { directory, keepsRegistrations });
      expect(started.node.services()).toEqual(expected);
      await started.node.registerService(service(WEB));
    }
  });

  test('HostedNode says what its files say where the API said something else under the same id', async () => {
    await using region = await startTestRegion();
    {
      await using before = await startTestNode(region, { directory });
      await before.node.registerService(
        service({
          name: 'web',
          port: 1,
          checks: [
            { id: 'a', ttl: '1m' },
            { id: 'b', ttl: '1m' },
          ],
        }),
      );
    }
    await using started = await startTestNode(region, { directory, services: [service(WEB)] });
    expect(instancesIn(region)).toEqual(['web:80']);
    expect(localChecks(started.node)).toEqual(['service:web unknown']);
  });

  test('HostedNode drops checks and maintenance of services that its files no longer have', async () => {
    await using region = await startTestRegion();
    {
      await using before = await startTestNode(region, { directory, services: [service({ name: 'web' })] });
      await before.node.registerCheck(check({ name: 'extra', service_id: 'web', ttl: '1m' }));
      await before.node.setMaintenance('web', true, '');
    }
    await using started = await startTestNode(region, { directory });
    expect(started.node.checks()).toEqual([]);
    expect(instancesIn(region)).toEqual([]);
  });

  test('HostedNode holds a kept script check for critical where scripts are switched off since', async () => {
    await using region = await startTestRegion();
    {
      await using before = await startTestNode(region, { directory, scripts: { local: true, remote: true } });
      await before.node.registerService(service({ name: 'web', check: { args: ['/bin/true'], interval: '1h' } }));
    }
    await using started = await startTestNode(region, { directory });
    expect(region.statuses()).toEqual({ 'n1/service:web': 'critical' });
    expect(started.node.checks()[0]?.output).toContain('Scripts are disabled on this agent from remote calls');
    expect(region.log.lines).toContainEqual(expect.stringContaining('check "service:web" is not run'));
    await started.node.deregisterService('web');
    expect(started.node.checks()).toEqual([]);
  });

  test('HostedNode goes on with what it can read of a damaged file', async () => {
    await using region = await startTestRegion();
    const file = path.join(directory, 'registrations.jsonl');
    {
      await using before = await startTestNode(region, { directory });
      await before.node.registerService(service(WEB));
    }
    await appendFile(file, 'rubbish\n{"service": {"id": "cut');
    {
      await using started = await startTestNode(region, { directory });
      expect(started.node.services().map((one) => one.id)).toEqual(['web']);
    }
    expect(region.log.lines).toContainEqual(expect.stringMatching(/registrations were damaged \(line 3: .*kept as/));
    expect(await readFile(`${file}.damaged`, 'utf8')).toContain('rubbish');
    expect(await readFile(file, 'utf8')).not.toContain('rubbish');
  });
});

describe('HostedNode and its region', () => {
  test('HostedNode takes away from the region what it does not know, at its start and in between', async () => {
    await using region = await startTestRegion({ nodes: [{ name: 'n1', services: ['stranger'] }] });
    await using started = await startTestNode(region, { directory, services: [service({ name: 'web', port: 1 })] });
    expect(instancesIn(region)).toEqual(['web:1']);
    const stranger = { ...started.node.services()[0], id: 'other' } as ServiceRegistration['instance'];
    await region.registry.registry.report('n1', [{ type: 'instance', instance: stranger, checks: [] }]);
    await region.registry.registry.deregister({ node: 'n1', serviceId: 'web' });
    expect(instancesIn(region)).toEqual(['other:1']);
    await region.clock.advance(70_000);
    expect(instancesIn(region)).toEqual(['web:1']);
  });

  test('HostedNode is linked again after the region closed its link, and said what changed meanwhile', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    region.cut('the server moves');
    const registered = started.node.registerService(service(WEB));
    await region.clock.advance(6_000);
    await registered;
    expect(instancesIn(region)).toEqual(['web:80']);
    expect(region.links.nodes()).toEqual(['n1']);
  });

  test('HostedNode.leave() is left for the region, also when its agent stops after it', async () => {
    await using region = await startTestRegion();
    const started = await startTestNode(region, { directory, services: [service(WEB)] });
    await started.node.leave();
    await started.end('leave');
    await region.clock.advance(120_000);
    expect(region.registry.catalog.node('n1')?.alive).toMatchObject({ status: 'left', evidence: 'the agent left' });
    await expect(started.node.registerService(service(WEB))).rejects.toMatchObject({ code: 'AGENT_STOPPING' });
    await using again = await startTestNode(region, { directory });
    expect(again.node.record.name).toBe('n1');
    expect(region.registry.catalog.node('n1')?.alive.status).toBe('up');
  });
});

describe('HostedNode and the checks of definitions (P24)', () => {
  const settle = (region: TestRegion): Promise<void> => region.clock.advance(0);

  test('HostedNode checks an instance without check of its own as its definition says', async () => {
    await using region = await startTestRegion({ definitions: [CHECKED] });
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service({ name: 'web', port: 80 }));
    await settle(region);
    expect(region.statuses()).toEqual({ 'n1/service:web': 'unknown' });
    expect(started.node.checks()).toMatchObject([{ id: 'service:web', name: 'by definition', type: 'ttl' }]);
  });

  test('HostedNode lets an instance count that was well without a check until its first result', async () => {
    await using region = await startTestRegion();
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service({ name: 'web', port: 80 }));
    await region.clock.advance(2_000);
    await region.registry.registry.putDefinitions([CHECKED]);
    await settle(region);
    expect(region.statuses()).toEqual({ 'n1/service:web': 'passing' });
    await region.clock.advance(21_000);
    expect(region.statuses()).toEqual({ 'n1/service:web': 'critical' });
  });

  test('HostedNode follows its definition: another check, several, none', async () => {
    await using region = await startTestRegion({ definitions: [CHECKED] });
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service({ name: 'web', port: 80 }));
    await settle(region);
    await started.node.updateTtl('service:web', 'passing', '');
    const put = async (checks: Parameters<typeof definitionOf>[0]['checks']): Promise<void> => {
      await region.registry.registry.putDefinitions([definitionOf({ id: 'web', checks: checks ?? [] })]);
      await settle(region);
    };
    await put([{ ttlMs: 60_000 }]);
    expect(region.statuses()).toEqual({ 'n1/service:web': 'passing' });
    await put([{ ttlMs: 60_000 }, { ttlMs: 90_000 }]);
    expect(Object.keys(region.statuses())).toEqual(['n1/service:web:1', 'n1/service:web:2']);
    await put([]);
    expect(region.statuses()).toEqual({});
    expect(started.node.checks()).toEqual([]);
  });

  test('HostedNode prefers checks of its own, and comes back to those of the definition', async () => {
    await using region = await startTestRegion({ definitions: [CHECKED] });
    await using started = await startTestNode(region, { directory });
    await started.node.registerService(service({ name: 'web', check: { id: 'own', ttl: '30s' } }));
    await settle(region);
    expect(Object.keys(region.statuses())).toEqual(['n1/own']);
    await started.node.deregisterCheck('own');
    expect(Object.keys(region.statuses())).toEqual(['n1/service:web']);
    await started.node.registerCheck(check({ id: 'own', service_id: 'web', ttl: '30s' }));
    expect(Object.keys(region.statuses())).toEqual(['n1/own']);
  });

  test('HostedNode runs no script of a definition where scripts from afar are off, and says so', async () => {
    const scripted = definitionOf({ id: 'web', checks: [{ args: ['/bin/true'], intervalMs: 1_000 }] });
    await using region = await startTestRegion({ definitions: [scripted] });
    await using started = await startTestNode(region, { directory, services: [service({ name: 'web' })] });
    await settle(region);
    expect(started.node.checks()).toMatchObject([
      { status: 'critical', output: expect.stringContaining('Scripts are disabled') },
    ]);
  });

  test('HostedNode does not let a status flap when its agent restarts', async () => {
    await using region = await startTestRegion({ definitions: [CHECKED] });
    const seen = new Set<string | undefined>();
    {
      await using before = await startTestNode(region, { directory, services: [service({ name: 'web', port: 80 })] });
      await settle(region);
      await before.node.updateTtl('service:web', 'passing', '');
    }
    region.registry.feed.onApplied(() => seen.add(region.statuses()['n1/service:web']));
    await using started = await startTestNode(region, { directory, services: [service({ name: 'web', port: 80 })] });
    await settle(region);
    expect([...seen]).toEqual(['passing']);
    expect(started.node.checks()).toMatchObject([{ id: 'service:web' }]);
  });

  test('HostedNode drops at its start what the definition no longer says', async () => {
    await using region = await startTestRegion({ definitions: [CHECKED] });
    {
      await using before = await startTestNode(region, { directory, services: [service({ name: 'web' })] });
      await settle(region);
      expect(before.node.checks()).toHaveLength(1);
    }
    await region.registry.registry.removeDefinition('default', 'web');
    await using started = await startTestNode(region, { directory, services: [service({ name: 'web' })] });
    await settle(region);
    expect(started.node.checks()).toEqual([]);
    expect(region.statuses()).toEqual({});
  });
});
