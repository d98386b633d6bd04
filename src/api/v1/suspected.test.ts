import { expect, test } from 'vitest';
import type { AliveRecord } from '../../registry/index.ts';
import { startTestApi, type TestApi } from '../testing.ts';

const since = '2026-01-01T00:00:00.000Z';
const SERVICES = [
  { service: 'api', id: 'a', port: 1, status: 'passing' },
  { service: 'api', id: 'b', port: 2, status: 'passing' },
] as const;

async function start(alive: Omit<AliveRecord, 'since'>): Promise<TestApi> {
  const api = await startTestApi({ nodes: [{ name: 'n2', services: SERVICES }] });
  await api.context.feed.commit({
    compares: [],
    writes: [{ type: 'put', key: 'alive/n2', value: JSON.stringify({ since, ...alive }) }],
  });
  return api;
}

interface Row {
  readonly Service: { readonly ID: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: string; readonly Output: string }[];
}

test.each<[Omit<AliveRecord, 'since'>, passing: readonly string[], bad: readonly string[]]>([
  [{ status: 'suspected' }, ['a', 'b'], []],
  [{ status: 'suspected', dead: { a: 'refused' } }, ['b'], ['_suspected:a']],
  [{ status: 'down', answering: ['b'] }, ['b'], ['_suspected:a']],
  [{ status: 'down' }, [], ['serfHealth']],
])("of a node that is %j Consul's clients get %j as passing, and %j as critical", async (alive, passing, bad) => {
  await using api = await start(alive);
  const rows = (await api.ask('GET', '/v1/health/service/api?passing')).json as Row[];
  expect(rows.map(({ Service }) => Service.ID)).toEqual(passing);
  const critical = (await api.ask('GET', '/v1/health/state/critical')).json as { CheckID: string }[];
  expect(critical.map(({ CheckID }) => CheckID)).toEqual(bad);
});

test('what probes found, and why the node is suspected, is the output of the check', async () => {
  await using api = await start({ status: 'suspected', evidence: 'its link is gone: reset', dead: { a: 'silent' } });
  const [row] = (await api.ask('GET', '/v1/health/service/api')).json as Row[];
  expect(row?.Checks.find(({ CheckID }) => CheckID === '_suspected:a')).toMatchObject({
    Status: 'critical',
    Output: 'its address answers neither the server nor other nodes; of its node: its link is gone: reset',
  });
});
