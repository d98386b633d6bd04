import fc from 'fast-check';
import { expect, test } from 'vitest';
import { startTestApi } from './testing.ts';

const MASKED = '•••';

test('PUT /v2/datastores/:name sets a value and does not say it', async () => {
  await using api = await startTestApi();
  const { status, body, headers } = await api.ask('PUT', '/v2/datastores/DATABASE_URL', {
    body: { value: 'mysql://u:p@h/d' },
  });
  expect([status, body]).toEqual([200, { name: 'DATABASE_URL', federation: 'default', region: '-', value: MASKED }]);
  expect(Number(headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect(api.context.catalog.datastore('default', 'aws', 'DATABASE_URL')?.record.value).toBe('mysql://u:p@h/d');
});

test('GET /v2/datastores masks values unless revealed', async () => {
  await using api = await startTestApi({ datastores: { A: 'secret-a', B: 'secret-b' } });
  const masked = await api.ask('GET', '/v2/datastores');
  expect(masked.body.map((one: { name: string; value: string }) => [one.name, one.value])).toEqual([
    ['A', MASKED],
    ['B', MASKED],
  ]);
  const revealed = await api.ask('GET', '/v2/datastores?reveal');
  expect(revealed.body.map((one: { value: string }) => one.value)).toEqual(['secret-a', 'secret-b']);
  expect(revealed.headers['cache-control']).toBe('no-store');
  expect((await api.ask('GET', '/v2/datastores?reveal=false')).body[0].value).toBe(MASKED);
});

test('GET /v2/datastores/:name gives exactly the region that is named', async () => {
  await using api = await startTestApi({
    datastores: [
      { name: 'A', value: 'every' },
      { name: 'A', value: 'own', region: 'aws' },
      { name: 'A', value: 'eu', federation: 'eu' },
    ],
  });
  const value = async (query: string): Promise<unknown> =>
    (await api.ask('GET', `/v2/datastores/A?reveal&${query}`)).body.value;
  expect(await value('')).toBe('every');
  expect(await value('region=-')).toBe('every');
  expect(await value('region=aws')).toBe('own');
  expect(await value('federation=eu')).toBe('eu');
  expect((await api.ask('GET', '/v2/datastores/A')).body.value).toBe(MASKED);
  expect((await api.ask('GET', '/v2/datastores/A?region=mars')).status).toBe(404);
});

test('DELETE /v2/datastores/:name removes exactly the region that is named; a second time it is not there', async () => {
  await using api = await startTestApi({
    datastores: [
      { name: 'A', value: 'every' },
      { name: 'A', value: 'own', region: 'aws' },
    ],
  });
  const { status, body, headers } = await api.ask('DELETE', '/v2/datastores/A?region=aws');
  expect([status, body]).toEqual([200, { name: 'A', federation: 'default', region: 'aws' }]);
  expect(Number(headers['x-drover-revision'])).toBe(api.context.catalog.revision);
  expect((await api.ask('DELETE', '/v2/datastores/A?region=aws')).status).toBe(404);
  expect(api.context.catalog.datastore('default', 'aws', 'A')?.record.value).toBe('every');
});

test('PUT /v2/datastores/:name keeps any text without NUL', async () => {
  await using api = await startTestApi();
  const text = fc
    .string({ unit: 'grapheme', maxLength: 50 })
    .filter((one) => !one.includes('\0') && one.isWellFormed());
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      expect((await api.ask('PUT', '/v2/datastores/A', { body: { value } })).status).toBe(200);
      expect((await api.ask('GET', '/v2/datastores/A?reveal')).body.value).toBe(value);
    }),
    { numRuns: 30 },
  );
  for (const value of ['', '{"a": 1}', '\u0001\u007f\n', 'x'.repeat(65_536)])
    expect((await api.ask('PUT', '/v2/datastores/A', { body: { value } })).status).toBe(200);
});
