import { Readable } from 'node:stream';
import { expect, test } from 'vitest';
import { ApiError, DroverClient, type WireEvent } from '../../client/src/index.ts';
import { startTestApi, type TestApi } from '../../src/api/v2/testing.ts';

const REGION = {
  nodes: [
    {
      name: 'staging',
      consumers: ['environment', 'balancer'] as const,
      balancer: { address: '127.0.0.1' },
      runs: ['app-www'],
    },
    { name: 'api-1', address: '127.0.0.2', services: [{ service: 'api', port: 1100, status: 'passing' as const }] },
  ],
  hosted: ['staging', 'api-1'],
  listeners: ['staging'],
};
const API = { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, local_port: 1100, status: '/' };
const WWW = { id: 'app-www', requires: { API_URL: '{API_URL}', DB: '{DATABASE_URL}' } };

/** The client over the API without a socket between. */
function clientOf(api: TestApi): DroverClient {
  const ask = async (url: Parameters<typeof fetch>[0], init: RequestInit = {}): Promise<Response> => {
    const answer = await api.server.inject({
      method: (init.method ?? 'GET') as 'GET',
      url: (url as URL).href,
      headers: init.headers as Record<string, string>,
      payloadAsStream: true,
      ...(init.body === undefined ? {} : { payload: init.body as string }),
      ...(init.signal == null ? {} : { signal: init.signal }),
    });
    const body = Readable.toWeb(answer.stream()) as ReadableStream;
    return new Response(body, { status: answer.statusCode, headers: answer.headers as Record<string, string> });
  };
  return new DroverClient({ address: 'http://127.0.0.1:8500', fetch: ask });
}

test('DroverClient finds what it asks for under /v2', async () => {
  await using api = await startTestApi(REGION);
  const drover = clientOf(api);
  const applied = await drover.applyDefinitions([API, WWW]);
  expect(applied.body.applied).toEqual(['api', 'app-www']);
  expect(applied.revision).toBe(api.context.catalog.revision);
  expect((await drover.setDatastore('DATABASE_URL', 'mysql://x', { region: 'aws' })).revision).toBeGreaterThan(
    applied.revision,
  );
  expect((await drover.status()).nodes).toEqual(['staging', 'api-1']);
  expect((await drover.services()).map((one) => [one.id, one.reachedAt])).toEqual([
    ['api', '127.0.0.1:1100'],
    ['app-www', 'app-www.service.consul'],
  ]);
  expect((await drover.service('api')).instancesOf).toHaveLength(1);
  expect((await drover.nodes()).map((one) => one.name)).toEqual(['api-1', 'staging']);
  expect((await drover.node('staging')).runs).toEqual(['app-www']);
  expect(await drover.definitions()).toHaveLength(2);
  expect((await drover.datastores({ reveal: true }))[0]).toMatchObject({ region: 'aws', value: 'mysql://x' });
  const { variables } = await drover.environment('app-www', { reveal: true });
  expect(variables.map((one) => one.value)).toEqual(['http://127.0.0.1:1100', 'mysql://x']);
  expect((await drover.switchListener('off', { node: 'staging' })).enabled).toBe(false);
  expect((await drover.listener()).enabled).toBe(false);
  expect((await drover.provision()).queued).toBe(true);
  expect(await drover.provisions()).toEqual([]);
  expect((await drover.maintenance(true, { node: 'api-1', service: 'api', reason: 'disk' })).revision).toBeGreaterThan(
    0,
  );
  expect((await drover.trace('latest')).summary).toEqual(['api@api-1 maintenance']);
  expect((await drover.maintenance(false, { node: 'api-1', service: 'api' })).revision).toBe(
    api.context.catalog.revision,
  );
  expect((await drover.removeDatastore('DATABASE_URL', { region: 'aws' })).revision).toBe(api.context.catalog.revision);
  expect((await drover.removeDefinition('app-www')).revision).toBe(api.context.catalog.revision);
});

test('DroverClient waits and follows', async () => {
  await using api = await startTestApi(REGION);
  const drover = clientOf(api);
  await drover.applyDefinitions([API, WWW]);
  const leave = new AbortController();
  const events: WireEvent[] = [];
  const following = (async () => {
    for await (const event of drover.events({}, leave.signal)) if (events.push(event) === 3) break;
  })();
  await api.clock.advance(0);
  const { revision } = await drover.setDatastore('DATABASE_URL', 'mysql://x');
  const converged = drover.converged(revision, { wait: '30s' });
  await api.clock.advance(0);
  api.receipt({ node: 'staging', kind: 'environment', revision, outcome: 'applied' });
  expect(await converged).toEqual({ converged: true, pending: [] });
  await following;
  expect(events.map((one) => [one.type, one.revision])).toEqual([
    ['change', revision],
    ['receipt', revision],
    ['arrived', revision],
  ]);
});

test('DroverClient throws what is wrong with code and hint', async () => {
  await using api = await startTestApi(REGION);
  const drover = clientOf(api);
  const failure: unknown = await drover.service('apu').catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ApiError);
  expect(failure).toMatchObject({
    status: 404,
    error: { code: 'API_UNKNOWN_SERVICE', hint: expect.any(String) as string },
  });
});
