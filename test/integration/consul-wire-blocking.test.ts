import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire, type WireReply } from './consul-wire.ts';

/** Blocking queries: consul-http-api 2. That none sleeps too long or wakes without a change: blocking-model.test.ts. */

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 'n1' } });
  wire = new Wire(agent.url);
  await wire.ok('PUT agent/service/register', { body: { Name: 'web', Check: { TTL: '1h' } } });
  await wire.ok('PUT kv/a/b', { body: 'x' });
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

/** What blocks, and what makes its answer another one. */
const BLOCKING: [path: string, change: string, body?: unknown][] = [
  ['catalog/nodes', 'PUT catalog/register', { Node: 'b1', Address: '10.0.0.1' }],
  ['catalog/services', 'PUT catalog/register', { Node: 'b1', Address: '10.0.0.1', Service: { Service: 's1' } }],
  ['catalog/service/s2', 'PUT catalog/register', { Node: 'b1', Address: '10.0.0.1', Service: { Service: 's2' } }],
  ['catalog/node/b1', 'PUT catalog/register', { Node: 'b1', Address: '10.0.0.1', Service: { Service: 's3' } }],
  ['catalog/node-services/b1', 'PUT catalog/register', { Node: 'b1', Address: '10.0.0.1', Service: { Service: 's4' } }],
  ['health/node/n1', 'PUT agent/check/warn/service:web'],
  ['health/checks/web', 'PUT agent/check/pass/service:web'],
  ['health/state/warning', 'PUT agent/check/warn/service:web'],
  ['health/service/web', 'PUT agent/check/pass/service:web'],
  ['health/service/web?passing', 'PUT agent/check/fail/service:web'],
  ['kv/a/b', 'PUT kv/a/b', 'y'],
  ['kv/a/b?raw', 'PUT kv/a/b', 'z'],
  ['kv/a?recurse', 'PUT kv/a/c', 'x'],
  ['kv/a/?keys', 'DELETE kv/a/c'],
  ['kv/a/none', 'PUT kv/a/none', 'x'],
  ['kv/none/?recurse', 'PUT kv/none/b', 'x'],
  ['session/list', 'PUT session/create', { Checks: [], LockDelay: '0s' }],
  ['session/node/n1', 'PUT session/create', { Checks: [], LockDelay: '0s' }],
  ['event/list', 'PUT event/fire/e', 'x'],
  ['coordinate/nodes', 'PUT catalog/register', { Node: 'b2', Address: '10.0.0.2' }],
  ['coordinate/node/b3', 'PUT catalog/register', { Node: 'b3', Address: '10.0.0.3' }],
];

const held = (path: string, index: number | string, wait: string): Promise<WireReply> =>
  wire.ask(`GET ${path}${path.includes('?') ? '&' : '?'}index=${index}&wait=${wait}`);

async function timed<T>(what: Promise<T>): Promise<[value: T, tookMs: number]> {
  const start = performance.now();
  return [await what, performance.now() - start];
}

describe('every blocking read', () => {
  test.each(BLOCKING)('http 2.1: %s: no index, 0 and an older one answer at once', async (path) => {
    const [, tookMs] = await timed(Promise.all([wire.ask(`GET ${path}`), held(path, 0, '30s'), held(path, '', '30s')]));
    expect(tookMs).toBeLessThan(10_000);
  });

  test.each(BLOCKING)('http 2.1: %s: holds until wait has passed, and has the index it was given', async (path) => {
    const { index, text } = await wire.ask(`GET ${path}`);
    const [reply, tookMs] = await timed(held(path, index, '40ms'));
    expect({ index: reply.index, text: reply.text }).toEqual({ index, text });
    expect(tookMs).toBeGreaterThanOrEqual(39);
  });

  test.each(BLOCKING)('http 2.1: %s: is woken by %s', async (path, change, body) => {
    const { index } = await wire.ask(`GET ${path}`);
    const waiting = held(path, index, '60s');
    await sleep(30);
    await wire.ok(change, { body });
    const [reply, tookMs] = await timed(waiting);
    expect(tookMs).toBeLessThan(10_000);
    if (!path.startsWith('event/')) expect(reply.index).toBeGreaterThan(index);
    else expect(reply.headers['x-consul-index']).not.toBe(String(index));
  });

  test('http 2: session/info/ is woken by its end', async () => {
    const { ID } = await wire.json<{ ID: string }>('PUT session/create', { body: { Checks: [] } });
    const { index } = await wire.ok(`GET session/info/${ID}`);
    const waiting = held(`session/info/${ID}`, index, '60s');
    await wire.ok(`PUT session/destroy/${ID}`);
    expect((await waiting).text).toBe('[]');
  });

  test('http 2: what does not block answers at once, whatever index it is given', async () => {
    const paths = ['catalog/datacenters', 'agent/services', 'agent/checks', 'agent/members', 'query', 'status/leader'];
    const [, tookMs] = await timed(Promise.all(paths.map((path) => held(path, 1_000_000, '60s'))));
    expect(tookMs).toBeLessThan(10_000);
  });
});

describe('wait', () => {
  test('http 2.2: is exceeded by a sixteenth at most', async () => {
    const { index } = await wire.ask('GET kv/a/b');
    const waits = await Promise.all(Array.from({ length: 20 }, () => timed(held('kv/a/b', index, '800ms'))));
    for (const [, tookMs] of waits) {
      expect(tookMs).toBeGreaterThanOrEqual(799);
      // A sixteenth is 50 ms; the rest is for a busy machine.
      expect(tookMs).toBeLessThan(850 + 750);
    }
  });

  test.each(['40ms', '0.04s', '40000us', '40000000ns'])('http 2.2: %s', async (wait) => {
    const { index } = await wire.ask('GET kv/a/b');
    const [, tookMs] = await timed(held('kv/a/b', index, wait));
    expect(tookMs).toBeGreaterThanOrEqual(39);
  });

  test.each(['0', '0s', '', '10m', '1h', '120000ms'])('http 2.2: %j waits longer than a test', async (wait) => {
    const gone = new AbortController();
    const { index } = await wire.ask('GET kv/a/b');
    const waiting = wire.ask(`GET kv/a/b?index=${index}&wait=${wait}`, { signal: gone.signal });
    expect(await Promise.race([waiting, sleep(150, 'still waits')])).toBe('still waits');
    gone.abort();
    await expect(waiting).rejects.toThrow(/abort/i);
  });

  testRows(
    () => wire,
    [
      ['http 1.1: wait=x', 'GET kv/a/b?index=1&wait=x', 400, 'Invalid wait time'],
      ['http 1.1: wait=10 without a unit', 'GET kv/a/b?index=1&wait=10', 400, 'Invalid wait time'],
      ['http 1.1: wait=-1s', 'GET kv/a/b?index=1&wait=-1s', 400, 'Invalid wait time'],
      ['http 1.1: wait=x without an index', 'GET catalog/nodes?wait=x', 400, 'Invalid wait time'],
      ['http 1.1: wait=x of events', 'GET event/list?index=1&wait=x', 400, 'Invalid wait time'],
      ['http 1.1: index=x', 'GET catalog/nodes?index=x', 400, 'Invalid index'],
      ['http 1.1: index=-1', 'GET kv/a/b?index=-1', 400, 'Invalid index'],
      ['http 1.1: index=1.5', 'GET health/state/any?index=1.5', 400, 'Invalid index'],
      ['http 1.1: index=x of events', 'GET event/list?index=x', 400, 'Invalid index'],
      ['http 1.1: index=x of sessions', 'GET session/list?index=x', 400, 'Invalid index'],
    ],
  );
});

describe('the index of a result', () => {
  const put = (key: string, body = 'v'): Promise<WireReply> => wire.ok(`PUT kv/${key}`, { body });
  const indexOf = async (path: string): Promise<number> => (await wire.ask(`GET ${path}`)).index;

  test('http 2.4: a key: its ModifyIndex, whatever else is written', async () => {
    await put('i/a');
    const before = await indexOf('kv/i/a');
    await put('i/b');
    expect(await indexOf('kv/i/a')).toBe(before);
  });

  test('http 2.4: a prefix: the highest below it, deletions too', async () => {
    await put('i/p/a');
    await put('i/p/b');
    const high = await indexOf('kv/i/p/b');
    expect(await indexOf('kv/i/p/?recurse')).toBe(high);
    expect(await indexOf('kv/i/p/?keys')).toBe(high);
    await wire.ok('DELETE kv/i/p/a');
    const after = await indexOf('kv/i/p/?recurse');
    expect(after).toBeGreaterThan(high);
    await put('i/other');
    expect(await indexOf('kv/i/p/?recurse')).toBe(after);
  });

  test('http 2.4: a missing key: lower than after its creation, higher after its deletion', async () => {
    const missing = await indexOf('kv/i/later');
    await put('i/later');
    const there = await indexOf('kv/i/later');
    expect(there).toBeGreaterThan(missing);
    await wire.ok('DELETE kv/i/later');
    expect(await indexOf('kv/i/later')).toBeGreaterThan(there);
  });

  test('http 2.4: a service: of its instances, checks, nodes and its last deletion, not of other services', async () => {
    const body = {
      Node: 'i1',
      Address: '10.2.0.1',
      Service: { Service: 'i-web' },
      Check: { Name: 'c', ServiceID: 'i-web' },
    };
    await wire.ok('PUT catalog/register', { body });
    const seen = [await indexOf('health/service/i-web')];
    await wire.ok('PUT catalog/register', {
      body: { Node: 'i2', Address: '10.2.0.2', Service: { Service: 'i-other' } },
    });
    expect(await indexOf('health/service/i-web')).toBe(seen[0]);
    const checked = { ...body, Check: { ...body.Check, Status: 'passing' } };
    const moved = { ...checked, Address: '10.2.0.9' };
    for (const next of [checked, moved]) {
      await wire.ok('PUT catalog/register', { body: next });
      seen.push(await indexOf('health/service/i-web'));
    }
    await wire.ok('PUT catalog/deregister', { body: { Node: 'i1' } });
    seen.push(await indexOf('health/service/i-web'));
    expect(seen).toEqual([...new Set(seen)].toSorted((a, b) => a - b));
  });

  test('http 2.4: never 0, also where nothing ever was', async () => {
    for (const path of [
      'kv/never',
      'kv/never/?recurse',
      'catalog/service/never',
      'health/service/never',
      'catalog/connect/x',
    ])
      expect(await indexOf(path), path).toBeGreaterThanOrEqual(1);
  });
});

describe('waiters', () => {
  const waiters = async (): Promise<number> => {
    const { Gauges } = await wire.json<{ Gauges: { Name: string; Value: number }[] }>('GET agent/metrics');
    return Gauges.find(({ Name }) => Name === 'consul.rpc.queries_blocking')?.Value ?? Number.NaN;
  };

  test('http 2.5: a client that goes frees its watcher', async () => {
    const gone = new AbortController();
    const before = await waiters();
    const { index } = await wire.ask('GET kv/a/b');
    const waiting = Array.from({ length: 50 }, () =>
      wire.ask(`GET kv/a/b?index=${index}&wait=5m`, { signal: gone.signal }).catch(() => undefined),
    );
    await until(async () => (await waiters()) === before + 50);
    gone.abort();
    await Promise.all(waiting);
    await until(async () => (await waiters()) === before);
  });

  test('http 2.7: GET agent/service/ waits until its ContentHash is another one', async () => {
    const { ContentHash } = await wire.json<{ ContentHash: string }>('GET agent/service/web');
    const reply = await wire.ok('GET agent/service/web');
    expect(reply.headers['x-consul-contenthash']).toBe(ContentHash);
    const waiting = wire.ok(`GET agent/service/web?hash=${ContentHash}&wait=60s`);
    expect(await Promise.race([waiting, sleep(100, 'still waits')])).toBe('still waits');
    await wire.ok('PUT agent/service/register', { body: { Name: 'web', Tags: ['new'], Check: { TTL: '1h' } } });
    expect((await waiting).json()).toMatchObject({ Tags: ['new'] });
    const [, tookMs] = await timed(wire.ok('GET agent/service/web?hash=another&wait=60s'));
    expect(tookMs).toBeLessThan(10_000);
  });
});
