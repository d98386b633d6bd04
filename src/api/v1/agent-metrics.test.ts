import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { HTTP_SETTINGS } from '../http-settings.ts';
import { startTestApi } from '../testing.ts';
import { RequestCounts } from './request-counts.ts';

interface Metrics {
  readonly Timestamp: string;
  readonly Gauges: readonly { readonly Name: string; readonly Value: number; readonly Labels: object }[];
  readonly Counters: readonly { readonly Count: number; readonly Labels: { readonly method: string } }[];
}

test('agent/metrics has what Consul’s monitoring reads, with true figures', async () => {
  await using api = await startTestApi({ nodes: [{ name: 'n2', services: ['web', 'db'] }] });
  await api.ask('PUT', '/v1/kv/a', { body: 'b' });
  const metrics = (await api.ask('GET', '/v1/agent/metrics')).json as Metrics;
  expect(Object.keys(metrics)).toEqual(['Timestamp', 'Gauges', 'Points', 'Counters', 'Samples']);
  expect(metrics.Timestamp).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000 UTC$/);
  const values = Object.fromEntries(metrics.Gauges.map(({ Name, Value }) => [Name, Value]));
  expect(values['consul.runtime.alloc_bytes']).toBeGreaterThan(1_000_000);
  expect(values).toMatchObject({
    'consul.state.nodes': 2,
    'consul.state.services': 2,
    'consul.server.isLeader': 1,
    'consul.members.servers': 1,
    'consul.members.clients': 1,
  });
  const counts = metrics.Counters.map(({ Count, Labels }) => [Labels.method, Count]);
  expect(counts).toEqual([
    ['PUT', 1],
    ['GET', 1],
  ]);
});

test('agent/metrics is for Prometheus only where that is switched on', async () => {
  await using off = await startTestApi();
  const refused = await off.ask('GET', '/v1/agent/metrics?format=prometheus');
  expect([refused.status, refused.text]).toEqual([415, expect.stringContaining('retention time is not positive')]);
  await using on = await startTestApi({ http: { ...HTTP_SETTINGS, prometheus: true } });
  const { headers, text } = await on.ask('GET', '/v1/agent/metrics?format=prometheus');
  expect(headers['content-type']).toContain('version=0.0.4');
  expect(text).toMatch(/^# TYPE consul_runtime_alloc_bytes gauge\nconsul_runtime_alloc_bytes \d+$/m);
  expect(text).toMatch(/^consul_state_nodes\{datacenter="aws"\} 1$/m);
});

test('agent/metrics has how long changes took to each kind of consumer, who is late, and how the other servers stand', async () => {
  await using api = await startTestApi({
    http: { ...HTTP_SETTINGS, prometheus: true },
    nodes: [{ name: 'n2', runs: ['app'], consumers: ['environment', 'listener'] }],
    definitions: [{ id: 'app', requires: { DB: '{DB}' } }],
  });
  const revision = await api.region.registry.setDatastore('default', '-', 'DB', 'x');
  api.context.changes.receipt({ node: 'n2', kind: 'environment', revision, outcome: 'applied' });
  const { text } = await api.ask('GET', '/v1/agent/metrics?format=prometheus');
  expect(text).toMatch(/^drover_receipts_p99_ms\{kind="environment"\} \d/m);
  expect(text).toMatch(/^drover_receipts_late 1$/m);
  expect(text).toMatch(/^drover_peers_running 0$/m);
  const names = text.split('\n').filter((one) => one.startsWith('# TYPE'));
  expect(new Set(names).size).toBe(names.length);
});

test('RequestCounts are those of the last whole interval, or of the running one before there is any', async () => {
  const clock = new FakeClock();
  const counts = new RequestCounts(clock);
  counts.add('GET');
  expect([...counts.last]).toEqual([['GET', 1]]);
  counts.add('GET');
  await clock.advance(10_000);
  counts.add('PUT');
  expect([...counts.last]).toEqual([['GET', 2]]);
  await clock.advance(10_000);
  expect([...counts.last]).toEqual([['PUT', 1]]);
  await clock.advance(35_000);
  expect([...counts.last]).toEqual([]);
});

test('agent/host says what machine this is, with nanoseconds in full', async () => {
  await using api = await startTestApi();
  const { text, json } = await api.ask('GET', '/v1/agent/host');
  expect(json).toMatchObject({ Memory: { total: expect.any(Number) }, Host: { os: 'linux' }, Errors: null });
  expect(text).toMatch(/"CollectionTime":\d+/);
});
