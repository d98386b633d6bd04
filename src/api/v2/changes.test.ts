import { expect, test } from 'vitest';
import { startTestApi, type TestApi } from './testing.ts';

const STAGING = { name: 'staging', consumers: ['environment', 'listener'] as const, runs: ['app-www'] };
const REGION = {
  nodes: [STAGING, { name: 'other', consumers: ['environment'] as const }],
  definitions: [{ id: 'app-www', requires: { DB: '{DATABASE_URL}' } }],
  datastores: { DATABASE_URL: 'one' },
};

async function changed(api: TestApi, value = 'two'): Promise<number> {
  const { headers } = await api.ask('PUT', '/v2/datastores/DATABASE_URL', { body: { value } });
  return Number(headers['x-drover-revision']);
}

test('GET /v2/trace/:revision says where a change has arrived', async () => {
  await using api = await startTestApi(REGION);
  const revision = await changed(api);
  api.receipt({ node: 'staging', kind: 'environment', revision, outcome: 'applied' });
  api.receipt({ node: 'staging', kind: 'listener', revision, outcome: 'held', reason: 'off' });
  const { body } = await api.ask('GET', `/v2/trace/${revision}`);
  expect(body).toMatchObject({ revision, summary: ['datastore DATABASE_URL'], arrived: 1, of: 2, converged: false });
  expect(body.consumers).toMatchObject([
    { node: 'staging', kind: 'environment', state: 'arrived', outcome: 'applied' },
    { node: 'staging', kind: 'listener', state: 'held', reason: 'off' },
  ]);
});

test('GET /v2/trace/latest is the newest change that concerns anyone', async () => {
  await using api = await startTestApi(REGION);
  const revision = await changed(api);
  for (let index = 0; index < 100; index++) await api.registry.setDatastore('default', '-', 'UNUSED', `${index}`);
  expect((await api.ask('GET', '/v2/trace/latest')).body.revision).toBe(revision);
});

test('GET /v2/changes lists the latest, newest first', async () => {
  await using api = await startTestApi(REGION);
  const [first, second] = [await changed(api, 'a'), await changed(api, 'b')];
  const revisions = (body: { revision: number }[]): number[] => body.map((one) => one.revision);
  expect(revisions((await api.ask('GET', '/v2/changes')).body)).toEqual([second, first]);
  expect(revisions((await api.ask('GET', '/v2/changes?limit=1')).body)).toEqual([second]);
});

test('GET /v2/converged/:revision waits until everyone has it; provisions count only when asked', async () => {
  await using api = await startTestApi(REGION);
  const revision = await changed(api);
  const waiting = api.ask('GET', `/v2/converged/${revision}?wait=30s`);
  const withProvisions = api.ask('GET', `/v2/converged/${revision}?wait=30s&provisions=true`);
  await api.clock.advance(1_000);
  api.receipt({ node: 'staging', kind: 'environment', revision, outcome: 'applied' });
  expect((await waiting).body).toEqual({ converged: true, pending: [] });
  await api.clock.advance(29_000);
  expect((await withProvisions).body).toEqual({
    converged: false,
    pending: [{ node: 'staging', kind: 'listener', state: 'late' }],
  });
});

test('GET /v2/converged/:revision ends at once when somebody refused', async () => {
  await using api = await startTestApi(REGION);
  const revision = await changed(api);
  const waiting = api.ask('GET', `/v2/converged/${revision}?wait=10m`);
  await api.clock.advance(1_000);
  api.receipt({ node: 'staging', kind: 'environment', revision, outcome: 'refused', reason: 'no rights' });
  expect((await waiting).body).toMatchObject({
    converged: false,
    pending: [{ state: 'refused', reason: 'no rights' }],
  });
});

test('GET /v2/converged/:revision without `wait` says how it is', async () => {
  await using api = await startTestApi(REGION);
  const revision = await changed(api);
  const asked = api.ask('GET', `/v2/converged/${revision}`);
  await api.clock.advance(0);
  expect((await asked).body.converged).toBe(false);
});

test('GET /v2/converged/:revision stops waiting when the client leaves', async () => {
  await using api = await startTestApi(REGION);
  const revision = await changed(api);
  const leave = new AbortController();
  const asked = api.server.inject({
    url: `/v2/converged/${revision}?wait=10m`,
    headers: { host: '127.0.0.1' },
    signal: leave.signal,
  });
  await api.clock.advance(10);
  const waiting = api.clock.pending;
  leave.abort();
  await asked.catch(() => undefined);
  await api.clock.advance(10);
  expect([waiting, api.clock.pending]).toEqual([1, 0]);
  expect(api.logged).toEqual([]);
});

test('GET /v2/late names who owes what', async () => {
  await using api = await startTestApi(REGION);
  const revision = await changed(api);
  await api.clock.advance(2_000);
  expect((await api.ask('GET', '/v2/late')).body).toEqual([
    { node: 'staging', kind: 'environment', revision, forMs: 2_000 },
    { node: 'staging', kind: 'listener', revision, forMs: 2_000 },
  ]);
});
