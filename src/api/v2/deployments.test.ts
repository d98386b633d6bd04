import { expect, test } from 'vitest';
import { startTestApi } from './testing.ts';

const deployment = (revision: number, nodes: Record<string, string> = { a: 'running', b: 'waiting' }) => ({
  group: 'web',
  atOnce: 5,
  mostFailures: 1,
  nodes,
  revision,
});
const URL = '/v2/deployments/d1';

test('how far a deployment has come is written and read, each step from the one before', async () => {
  await using api = await startTestApi();
  const { status, body } = await api.ask('PUT', URL, { body: deployment(0) });
  expect(status).toBe(200);
  expect((await api.ask('GET', URL)).body).toEqual(deployment(body.revision));
  const next = await api.ask('PUT', URL, { body: deployment(body.revision, { a: 'done', b: 'running' }) });
  expect(next.body.revision).toBeGreaterThan(body.revision);
  expect((await api.ask('GET', URL)).body.nodes).toEqual({ a: 'done', b: 'running' });
});

test('who goes on with a deployment that another one went on with is refused, and so is a second beginning', async () => {
  await using api = await startTestApi();
  const { body } = await api.ask('PUT', URL, { body: deployment(0) });
  await api.ask('PUT', URL, { body: deployment(body.revision, { a: 'done' }) });
  for (const revision of [body.revision, 0]) {
    const answer = await api.ask('PUT', URL, { body: deployment(revision) });
    expect([answer.status, answer.body.error.code]).toEqual([409, 'API_DEPLOYMENT_CHANGED']);
  }
  expect((await api.ask('GET', URL)).body.nodes).toEqual({ a: 'done' });
});

test('a deployment that is not there is not found', async () => {
  await using api = await startTestApi();
  const { status, body } = await api.ask('GET', URL);
  expect([status, body.error.code]).toEqual([404, 'API_UNKNOWN_DEPLOYMENT']);
});

test.each([
  ['a state that is none', URL, deployment(0, { a: 'lost' })],
  ['nobody at once', URL, { ...deployment(0), atOnce: 0 }],
  ['no body', URL, undefined],
  ['an id with other signs', '/v2/deployments/a%2Fb', deployment(0)],
  ['an id that is too long', `/v2/deployments/${'a'.repeat(65)}`, deployment(0)],
])('%s is refused', async (_what, url, body) => {
  await using api = await startTestApi();
  const answer = await api.ask('PUT', url, body === undefined ? {} : { body });
  expect(answer.status).toBe(400);
});
