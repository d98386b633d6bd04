import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseDefinition, toServiceDocument } from '../../definition/index.ts';
import { startTestApi } from './testing.ts';

const API = {
  id: 'api',
  provides: { API_URL: 'http://{HOST}:{PORT}' },
  local_port: 1100,
  status: '/status',
  environment: { WORKERS: 4 },
};
const WWW = { id: 'app-www', requires: { API_URL: '{API_URL}' }, federation: 'default' };

test('PUT /v2/definitions applies all and says at which revision', async () => {
  await using api = await startTestApi();
  const { status, headers, body } = await api.ask('PUT', '/v2/definitions', { body: [API, WWW] });
  expect([status, body]).toEqual([200, { applied: ['api', 'app-www'], warnings: [], notes: [] }]);
  expect(Number(headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect(api.context.catalog.definition('default', 'api')?.record).toEqual(parseDefinition(API));
});

test('PUT /v2/definitions changes nothing when one of them is refused', async () => {
  await using api = await startTestApi();
  const before = api.context.catalog.revision;
  const { status } = await api.ask('PUT', '/v2/definitions', { body: [API, { id: 'x', enviroment: {} }] });
  expect([status, api.context.catalog.definitions(), api.context.catalog.revision]).toEqual([400, [], before]);
});

test('PUT /v2/definitions?dryRun says the same and writes nothing', async () => {
  await using api = await startTestApi();
  const { body, headers } = await api.ask('PUT', '/v2/definitions?dryRun=true', { body: [API] });
  expect(body.applied).toEqual(['api']);
  expect(Number(headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect(api.context.catalog.definitions()).toEqual([]);
});

test('PUT /v2/definitions does not move the revision for what is so already', async () => {
  await using api = await startTestApi();
  const [first, second] = [
    await api.ask('PUT', '/v2/definitions', { body: [API] }),
    await api.ask('PUT', '/v2/definitions', { body: [API] }),
  ];
  expect(second.headers['x-drover-revision']).toBe(first.headers['x-drover-revision']);
});

test('PUT /v2/definitions warns of names nobody provides and notes services that require each other', async () => {
  await using api = await startTestApi();
  const one = { id: 'one', requires: { X: '{TWO}', Y: '{NOBODY}' }, provides: { ONE: 'x' } };
  const two = { id: 'two', requires: ['one'], provides: { TWO: 'http://{HOST}' } };
  const { body } = await api.ask('PUT', '/v2/definitions', { body: [one, two] });
  expect(body.warnings.join('\n')).toMatch(/one requires NOBODY, which nobody in default provides/);
  expect(body.warnings.join('\n')).toMatch(/two says neither "checks" nor "status"/);
  expect(body.notes).toEqual(['these services require each other: one → two → one']);
  const shown = await api.ask('GET', '/v2/services/two');
  expect(shown.body.notes).toEqual(body.notes);
});

test('PUT /v2/definitions keeps numbers as they are written', async () => {
  await using api = await startTestApi();
  await api.ask('PUT', '/v2/definitions', {
    text: '[{"id": "x", "environment": {"V": 1.10, "BIG": 12345678901234567890}}]',
  });
  expect(api.context.catalog.definition('default', 'x')?.record.environment).toEqual({
    V: '1.10',
    BIG: '12345678901234567890',
  });
});

test.each([
  ['names one', { id: 'x', federation: 'eu' }, '', 'eu'],
  ['names none and the query does', { id: 'x' }, '?federation=eu', 'eu'],
  ['and the query name the same', { id: 'x', federation: 'eu' }, '?federation=eu', 'eu'],
  ['and the query name none', { id: 'x' }, '', 'default'],
])('PUT /v2/definitions/:id knows the federation when the body %s', async (_when, body, query, federation) => {
  await using api = await startTestApi();
  expect((await api.ask('PUT', `/v2/definitions/x${query}`, { body })).status).toBe(200);
  expect(api.context.catalog.definition(federation, 'x')?.record.federation).toBe(federation);
  const shown = await api.ask('GET', `/v2/definitions/x?federation=${federation}`);
  expect(shown.body).toMatchObject({ id: 'x' });
});

test('GET /v2/definitions gives documents that can be applied again without a change', async () => {
  await using api = await startTestApi();
  await api.ask('PUT', '/v2/definitions', { body: [API, WWW, { id: 'api', federation: 'eu', hosts: ['a.example'] }] });
  const { body } = await api.ask('GET', '/v2/definitions');
  const again = await api.ask('PUT', '/v2/definitions', { body });
  expect(body).toHaveLength(3);
  expect(Number(again.headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect(api.context.catalog.revision).toBe(Number((await api.ask('GET', '/v2/status')).body.revision));
});

test('DELETE /v2/definitions/:id removes it and names who still requires it; a second time it is not there', async () => {
  await using api = await startTestApi();
  await api.ask('PUT', '/v2/definitions', { body: [API, WWW] });
  const { status, body, headers } = await api.ask('DELETE', '/v2/definitions/api');
  expect([status, body]).toEqual([200, { id: 'api', federation: 'default', requiredBy: ['app-www'] }]);
  expect(Number(headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect((await api.ask('DELETE', '/v2/definitions/api')).status).toBe(404);
});

test('parseDefinition() takes back what toServiceDocument() gives', () => {
  const name = fc.stringMatching(/^[A-Z][A-Z_]{0,5}$/);
  const text = fc.string({ maxLength: 12 }).filter((one) => !one.includes('\0'));
  const document = fc.record(
    {
      id: fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/),
      command: fc.oneof(fc.boolean(), fc.constant('node server.js'), fc.constant(['node', 'x y'])),
      run_list: fc.array(fc.constant('recipe[a::b]'), { maxLength: 2 }),
      environment: fc.dictionary(name, fc.oneof(text, fc.integer(), fc.boolean()), { maxKeys: 3 }),
      requires: fc.oneof(
        fc.constant(['api']),
        fc.dictionary(
          name.map((one) => `${one}1`),
          fc.constant('{A} and {b.C}'),
          { maxKeys: 2 },
        ),
        fc.constant(['api', { X1: '{Y}' }]),
      ),
      provides: fc.dictionary(
        name.map((one) => `P_${one}`),
        fc.constantFrom('http://{HOST}:{PORT}', 'tcp://{host}', '{{x}}'),
        { maxKeys: 2 },
      ),
      local_port: fc.integer({ min: 1, max: 65_535 }),
      protocol: fc.constantFrom('http', 'tcp'),
      bind: fc.constantFrom('any', 'node'),
      panic: fc.constantFrom('empty', 'keep'),
      public: fc.boolean(),
      shared: fc.boolean(),
      federation: fc.constantFrom('default', 'eu'),
      status: fc.constant('/status'),
      checks: fc.array(
        fc.constantFrom(
          { tcp: '{HOST}:{PORT}', interval: '1m30s' },
          { ttl: '10s' },
          { http: 'http://{HOST}/', interval: '500ms', header: { A: ['b'] } },
        ),
        { maxLength: 2 },
      ),
      meta: fc.dictionary(fc.constantFrom('rack', 'row'), text),
      run: fc.constant({ count: 2 }),
      regions: fc.constant({ aws: { local_port: 1 } }),
    },
    { requiredKeys: ['id'] },
  );
  fc.assert(
    fc.property(document, (one) => {
      const definition = parseDefinition(one);
      expect(parseDefinition(JSON.parse(JSON.stringify(toServiceDocument(definition))))).toEqual(definition);
    }),
    { numRuns: 100 },
  );
});
