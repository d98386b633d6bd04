import { spawnSync } from 'node:child_process';
import { rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** When there is no server, or it cannot write: consul-http-api 16. */

describe('an agent without servers', () => {
  let agent: ConsulAgent;
  let wire: Wire;
  beforeAll(async () => {
    agent = await ConsulAgent.start({ flags: [], configuration: { node_name: 'c1', server: false } });
    wire = new Wire(agent.url);
  });
  afterAll(async () => {
    wire?.[Symbol.dispose]();
    await agent?.[Symbol.asyncDispose]();
  });

  test('GET agent/self: http 16: works, and is no server', async () => {
    expect(await wire.json('GET agent/self')).toMatchObject({ Config: { NodeName: 'c1', Server: false } });
  });

  test('GET agent/members: http 16: has the node itself', async () => {
    expect(await wire.json('GET agent/members')).toMatchObject([{ Name: 'c1', Status: 1, Tags: { role: 'node' } }]);
  });

  test('PUT agent/service/register: http 16: works, with checks, over a restart', async () => {
    await wire.ok('PUT agent/service/register', { body: { Name: 'web', Port: 80, Check: { TTL: '1h' } } });
    await wire.ok('PUT agent/check/register', { body: { Name: 'of-node', TTL: '1h' } });
    await wire.ok('PUT agent/check/pass/service:web');
    await agent.end('SIGKILL');
    await agent.begin();
    expect(await wire.json('GET agent/services')).toMatchObject({ web: { Port: 80 } });
    expect(await wire.json('GET agent/checks')).toMatchObject({ 'service:web': { Type: 'ttl' }, 'of-node': {} });
    await wire.ok('PUT agent/service/deregister/web');
    await wire.ok('PUT agent/check/deregister/of-node');
    expect(await wire.json('GET agent/services')).toEqual({});
  });

  const none = 'No known Consul servers';
  testRows(
    () => wire,
    [
      ['GET agent/services: http 16: works', 'GET agent/services', 200, {}],
      ['GET agent/checks: http 16: works', 'GET agent/checks', 200, {}],
      ['GET status/leader: http 16: nobody leads', 'GET status/leader', 200, '""'],
      ['PUT agent/maintenance: http 16: works', 'PUT agent/maintenance?enable=false', 200, ''],
      ...[
        'GET kv/a',
        'GET kv/a?stale',
        'PUT kv/a',
        'DELETE kv/a',
        'GET catalog/nodes',
        'GET catalog/services',
        'GET catalog/service/web',
        'GET catalog/datacenters',
        'PUT catalog/register',
        'GET health/service/web',
        'GET health/state/any',
        'GET session/list',
        'PUT session/create',
        'PUT txn',
        'GET query',
        'PUT event/fire/x',
        'GET operator/raft/configuration',
        'GET snapshot',
        'GET coordinate/nodes',
      ].map((call) => [`${call}: http 16: without servers`, call, 500, none] as const),
    ],
  );
});

/** What cannot be written: no file of the process may grow beyond this. The kernel says so as it says that a disk is full. */
function limit(agent: ConsulAgent, bytes: string): void {
  const { status, stderr } = spawnSync('prlimit', ['--pid', String(agent.pid), `--fsize=${bytes}:unlimited`]);
  expect({ status, stderr: String(stderr) }).toEqual({ status: 0, stderr: '' });
}

/** Enough for the journal of registrations, not for the store. */
const STORE_IS_FULL = '16000';

requireComponent('prlimit')('a server whose disk takes nothing more', () => {
  let agent: ConsulAgent;
  let wire: Wire;
  beforeAll(async () => {
    agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 's1' } });
    wire = new Wire(agent.url);
    await wire.ok('PUT kv/a', { body: 'before' });
    await wire.ok('PUT agent/check/register', { body: { Name: 'ttl', TTL: '1h', Status: 'passing' } });
    limit(agent, STORE_IS_FULL);
    expect((await wire.ask('PUT kv/big', { body: 'x'.repeat(64_000) })).status).toBe(500);
  });
  afterAll(async () => {
    wire?.[Symbol.dispose]();
    await agent?.[Symbol.asyncDispose]();
  });

  const service = { Name: 'late', Port: 1 };
  const set = [{ KV: { Verb: 'set', Key: 'a', Value: '' } }];
  testRows(
    () => wire,
    (
      [
        ['PUT kv/a', 'v'],
        ['DELETE kv/a'],
        ['PUT txn', set],
        ['PUT session/create', { TTL: '1h', Checks: [] }],
        ['PUT catalog/register', { Node: 'ext', Address: '10.0.0.1' }],
        ['POST query', { Name: 'q', Service: { Service: 'a' } }],
        ['PUT event/fire/x', ''],
        ['GET kv/a?consistent'],
        ['GET catalog/nodes?consistent'],
        ['GET health/service/late?max_stale=0s'],
      ] as const
    ).map(([call, body]) => [`${call}: http 16: no leader is 500`, call, 500, /^No cluster leader/, body]),
  );

  test.each([
    'GET kv/a',
    'GET kv/a?stale',
    'GET catalog/nodes',
    'GET health/state/any',
    'GET session/list?max_stale=1h',
  ])('%s: http 16: reads go on, KnownLeader is false and LastContact grows', async (call) => {
    const last = async (): Promise<number> => {
      const { headers } = await wire.ok(call);
      expect(headers['x-consul-knownleader']).toBe('false');
      return Number(headers['x-consul-lastcontact']);
    };
    const first = await last();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await last()).toBeGreaterThan(first);
  });

  test('GET status/leader: http 16: is empty, and self knows of none', async () => {
    expect(await wire.json('GET status/leader')).toBe('');
    expect(await wire.json('GET agent/self')).toMatchObject({
      Stats: { consul: { leader: 'false', leader_addr: '' } },
    });
  });

  test('PUT agent/service/register: http 16: local calls work regardless, and are kept', async () => {
    await wire.ok('PUT agent/service/register', { body: service });
    await wire.ok('PUT agent/check/fail/ttl?note=down');
    await wire.ok('PUT agent/maintenance?enable=true');
    await wire.ok('PUT agent/reload');
    await wire.ok('PUT agent/maintenance?enable=false');
    expect(await wire.json('GET agent/services')).toMatchObject({ late: { Port: 1 } });
    expect(await wire.json('GET agent/checks')).toMatchObject({ ttl: { Status: 'critical', Output: 'down' } });
    expect(await wire.json('GET catalog/service/late')).toEqual([]);
  });

  test('PUT agent/service/register: http 16: what was registered then is in the catalog after a new start', async () => {
    await agent.end('SIGKILL');
    await agent.begin();
    expect(await wire.ok('GET kv/a?raw')).toMatchObject({ text: 'before' });
    expect(await wire.json('GET status/leader')).toBe('127.0.0.1:8300');
    expect(await wire.json('GET catalog/service/late')).toMatchObject([{ ServicePort: 1 }]);
  });
});

describe('a server whose store is taken away', () => {
  test.each(['removed', 'moved'])('PUT kv/: http 16: nothing is acknowledged once it is %s', async (how) => {
    await using agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 's1' } });
    using wire = new Wire(agent.url);
    await wire.ok('PUT kv/a', { body: 'before' });
    const store = path.join(agent.directory, 'data', 'store');
    await (how === 'removed' ? rm(store, { recursive: true }) : rename(store, `${store}-moved`));
    const reply = await wire.ask('PUT kv/a', { body: 'after' });
    expect(reply).toMatchObject({ status: 500, text: expect.stringMatching(/^No cluster leader: .*taken away/) });
    expect(await wire.ok('GET kv/a?raw')).toMatchObject({ text: 'before' });
    expect(await wire.json('GET status/leader')).toBe('');
  });
});
