import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestApi, type AskOptions, type TestApi } from './testing.ts';

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({
    nodes: [{ name: 'staging', runs: ['app-www'], services: [{ service: 'www', id: 'www-1' }] }, { name: 'api-1' }],
    definitions: [
      { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' } },
      { id: 'eu-only', federation: 'eu' },
    ],
    datastores: [
      { name: 'DATABASE_URL', value: 'mysql://user:hunter2@db/app' },
      { name: 'REGIONAL', value: 'x', region: 'aws' },
    ],
    hosted: ['staging', 'api-1'],
  });
});
afterAll(() => api[Symbol.asyncDispose]());

type Row = [
  method: 'GET' | 'PUT' | 'POST' | 'DELETE' | 'PATCH',
  url: string,
  asked: AskOptions,
  status: number,
  code: string,
  says: string,
];

const DATASTORE = '/v2/datastores/X';
const rows: Row[] = [
  // paths and methods
  ['GET', '/v2', {}, 404, 'API_UNKNOWN_PATH', '/v2/openapi.json'],
  ['GET', '/v2/servces', {}, 404, 'API_UNKNOWN_PATH', 'did you mean /v2/services?'],
  ['GET', '/v2/services/a/b', {}, 404, 'API_UNKNOWN_PATH', 'nothing is at'],
  ['POST', '/v2/services', {}, 405, 'API_METHOD', 'it takes GET'],
  ['PATCH', '/v2/definitions/api', { body: {} }, 405, 'API_METHOD', 'it takes GET and PUT and DELETE'],
  ['GET', '/v2/services/%ZZ', {}, 400, 'API_BAD_REQUEST', 'percent-encode'],
  ['GET', `/v2/services/${'x'.repeat(2_000)}`, {}, 400, 'API_BAD_REQUEST', ''],
  // Host and Origin
  ['GET', '/v2/status', { headers: { host: 'evil.example' } }, 403, 'API_FORBIDDEN', 'evil.example'],
  [
    'PUT',
    DATASTORE,
    { body: { value: 'x' }, headers: { origin: 'http://evil.example' } },
    403,
    'API_FORBIDDEN',
    'origin',
  ],
  // query parameters
  ['GET', '/v2/listener?nod=api-1', {}, 400, 'API_UNKNOWN_PARAMETER', 'did you mean "node"?'],
  ['GET', '/v2/status?x', {}, 400, 'API_UNKNOWN_PARAMETER', 'it takes none'],
  ['GET', '/v2/listener?node=a&node=b', {}, 400, 'API_BAD_PARAMETER', 'more than once'],
  ['GET', '/v2/datastores?reveal=yes', {}, 400, 'API_BAD_PARAMETER', 'expected true or false, found "yes"'],
  ['GET', '/v2/services/api?federation=a%20b', {}, 400, 'API_BAD_PARAMETER', 'federation'],
  ['GET', '/v2/datastores/X?region=a/b', {}, 400, 'API_BAD_PARAMETER', 'region'],
  ['GET', '/v2/environment/api?format=yaml', {}, 400, 'API_BAD_PARAMETER', 'expected json'],
  ['GET', '/v2/changes?limit=0', {}, 400, 'API_BAD_PARAMETER', 'from 1 to 1000'],
  ['GET', '/v2/changes?limit=ten', {}, 400, 'API_BAD_PARAMETER', 'from 1 to 1000'],
  ['GET', '/v2/trace/r57', {}, 400, 'API_BAD_PARAMETER', 'a revision or latest'],
  ['GET', '/v2/trace/newest', {}, 400, 'API_BAD_PARAMETER', 'a revision or latest'],
  ['GET', '/v2/converged/0', {}, 400, 'API_BAD_PARAMETER', 'a whole number'],
  ['GET', '/v2/converged/2?wait=soon', {}, 400, 'API_BAD_PARAMETER', 'from 0s to 10m'],
  ['GET', '/v2/converged/2?wait=11m', {}, 400, 'API_BAD_PARAMETER', 'from 0s to 10m'],
  ['GET', '/v2/converged/2?wait=-1s', {}, 400, 'API_BAD_PARAMETER', 'from 0s to 10m'],
  ['GET', '/v2/events?after=-1', {}, 400, 'API_BAD_PARAMETER', 'after'],
  ['GET', '/v2/events', { headers: { 'last-event-id': 'x' } }, 400, 'API_BAD_PARAMETER', 'last-event-id'],
  ['PUT', '/v2/maintenance', {}, 400, 'API_BAD_PARAMETER', 'enable as a query parameter is missing'],
  ['PUT', '/v2/maintenance?enable=maybe', {}, 400, 'API_BAD_PARAMETER', 'expected true or false'],
  ['PUT', `/v2/maintenance?enable=true&reason=${'x'.repeat(1_025)}`, {}, 400, 'API_BAD_PARAMETER', '1024'],
  ['PUT', '/v2/maintenance?enable=true&service=', {}, 400, 'API_BAD_PARAMETER', 'service'],
  // what is asked for is not there
  ['GET', '/v2/services/apu', {}, 404, 'API_UNKNOWN_SERVICE', 'did you mean "api"?'],
  ['GET', '/v2/services/eu-only', {}, 404, 'API_UNKNOWN_SERVICE', 'in federation eu'],
  ['GET', '/v2/nodes/stagin', {}, 404, 'API_UNKNOWN_NODE', 'did you mean "staging"?'],
  ['GET', '/v2/definitions/apj', {}, 404, 'API_UNKNOWN_DEFINITION', 'did you mean "api"?'],
  ['GET', '/v2/definitions/eu-only', {}, 404, 'API_UNKNOWN_DEFINITION', 'in federation eu'],
  ['DELETE', '/v2/definitions/gone', {}, 404, 'API_UNKNOWN_DEFINITION', 'service:list'],
  ['GET', '/v2/datastores/DATABASE_URI', {}, 404, 'API_UNKNOWN_DATASTORE', 'did you mean "DATABASE_URL"?'],
  ['DELETE', '/v2/datastores/REGIONAL', {}, 404, 'API_UNKNOWN_DATASTORE', 'it has a value for aws'],
  ['DELETE', '/v2/datastores/DATABASE_URL?region=aws', {}, 404, 'API_UNKNOWN_DATASTORE', 'for every region'],
  ['DELETE', '/v2/datastores/a-b', {}, 400, 'API_BAD_PARAMETER', 'letters, digits and "_"'],
  ['GET', '/v2/environment/apu', {}, 404, 'ENVIRONMENT_UNKNOWN_SERVICE', 'did you mean "api"?'],
  ['GET', '/v2/environment/eu-only', {}, 404, 'ENVIRONMENT_UNKNOWN_SERVICE', 'service:list'],
  ['GET', '/v2/environment/api?node=api-9', {}, 404, 'API_UNKNOWN_LOCAL_NODE', 'its nodes: staging, api-1'],
  ['GET', '/v2/listener', {}, 404, 'API_NO_LISTENER', 'provision.command'],
  ['POST', '/v2/listener/on?node=api-1', {}, 404, 'API_NO_LISTENER', '"api-1"'],
  ['POST', '/v2/provisions', {}, 404, 'API_NO_LISTENER', 'provision.command'],
  ['GET', '/v2/balancer', {}, 404, 'API_NO_BALANCER', 'configuration'],
  ['PUT', '/v2/maintenance?enable=true&service=www', {}, 404, 'API_UNKNOWN_INSTANCE', 'registered: www-1'],
  ['PUT', '/v2/maintenance?enable=true&service=x&node=api-1', {}, 404, 'API_UNKNOWN_INSTANCE', 'nothing is registered'],
  ['GET', '/v2/trace/latest', {}, 404, 'API_NOTHING_TO_TRACE', 'change something'],
  ['GET', '/v2/trace/999', {}, 404, 'CHANGE_UNKNOWN_REVISION', '999'],
  // bodies
  ['POST', '/v2/listener/on', { body: { node: 'x' } }, 400, 'API_BAD_BODY', 'leave the body out'],
  [
    'PUT',
    DATASTORE,
    { text: '{"value": "x"}', headers: { 'content-type': 'text/plain' } },
    415,
    'API_CONTENT_TYPE',
    'application/json',
  ],
  [
    'PUT',
    DATASTORE,
    { text: 'value=x', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    415,
    'API_CONTENT_TYPE',
    'application/json',
  ],
  ['PUT', DATASTORE, {}, 400, 'API_BAD_BODY', 'the body is missing'],
  ['PUT', DATASTORE, { text: '' }, 400, 'API_BAD_BODY', 'the body is missing'],
  ['PUT', DATASTORE, { text: Buffer.from([0x22, 0xff, 0x22]) }, 400, 'API_BAD_BODY', 'UTF-8'],
  ['PUT', DATASTORE, { text: '{"value": ' }, 400, 'API_BAD_BODY', 'not valid here'],
  ['PUT', DATASTORE, { text: '{"value": "x",}' }, 400, 'API_BAD_BODY', ''],
  ['PUT', DATASTORE, { text: '{/* c */"value": "x"}' }, 400, 'API_BAD_BODY', 'without comments'],
  ['PUT', DATASTORE, { body: 'x' }, 400, 'API_BAD_BODY', 'expected a map'],
  ['PUT', DATASTORE, { body: {} }, 400, 'API_BAD_BODY', 'the key "value" is missing'],
  ['PUT', DATASTORE, { body: { value: 5 } }, 400, 'API_BAD_BODY', 'value: expected text'],
  ['PUT', DATASTORE, { body: { value: 'a\0b' } }, 400, 'API_BAD_BODY', 'NUL byte'],
  ['PUT', DATASTORE, { text: '{"value": "\\ud800"}' }, 400, 'API_BAD_BODY', 'surrogate'],
  ['PUT', DATASTORE, { body: { value: 'é'.repeat(32_769) } }, 400, 'API_BAD_BODY', '65536 bytes'],
  ['PUT', DATASTORE, { body: { value: 'x', valeu: 'y' } }, 400, 'API_BAD_BODY', 'did you mean "value"?'],
  ['PUT', DATASTORE, { text: 'x'.repeat(1_048_577) }, 413, 'API_BODY_TOO_LARGE', '1048576'],
  ['PUT', '/v2/datastores/1X', { body: { value: 'x' } }, 400, 'API_BAD_PARAMETER', 'does not begin with a digit'],
  ['PUT', '/v2/datastores/API_URL', { body: { value: 'x' } }, 409, 'DEFINITION_NAME_TAKEN', 'api provides API_URL'],
  ['PUT', '/v2/definitions', { body: {} }, 400, 'API_BAD_BODY', 'a list of definitions'],
  ['PUT', '/v2/definitions', { body: [] }, 400, 'API_BAD_BODY', 'a list of definitions'],
  ['PUT', '/v2/definitions', { text: '[{"id": "x"]' }, 400, 'API_BAD_BODY', ''],
  [
    'PUT',
    '/v2/definitions',
    { text: `[{"id": "x", "run": ${'['.repeat(80)}${']'.repeat(80)}}]` },
    400,
    'API_BAD_BODY',
    'deeper than 64',
  ],
  ['PUT', '/v2/definitions', { body: [{ id: 'x' }, { id: 'x' }] }, 400, 'API_BAD_BODY', 'given twice'],
  ['PUT', '/v2/definitions/y', { body: { id: 'x' } }, 400, 'API_BAD_BODY', 'the path says "y"'],
  [
    'PUT',
    '/v2/definitions/x?federation=us',
    { body: { id: 'x', federation: 'eu' } },
    400,
    'API_BAD_BODY',
    'federation "eu"',
  ],
  ['PUT', '/v2/definitions/x', { body: [{ id: 'x' }] }, 400, 'DEFINITION_INVALID', 'expected a map'],
  [
    'PUT',
    '/v2/definitions/x',
    { body: { id: 'x', enviroment: {} } },
    400,
    'DEFINITION_UNKNOWN_KEY',
    'did you mean "environment"?',
  ],
  [
    'PUT',
    '/v2/definitions',
    { body: [{ id: 'y', provides: { API_URL: 'x' } }] },
    409,
    'DEFINITION_SECOND_PROVIDER',
    'both api and y provide API_URL',
  ],
  [
    'PUT',
    '/v2/definitions',
    { body: [{ id: 'y', provides: { DATABASE_URL: 'x' } }] },
    409,
    'DEFINITION_NAME_TAKEN',
    'datastore',
  ],
];

test.each(rows)('%s %s is refused (%#)', async (method, url, asked, status, code, says) => {
  const revision = api.context.catalog.revision;
  const answer = await api.ask(method, url, asked);
  expect({ status: answer.status, code: answer.body.error?.code }).toEqual({ status, code });
  expect(Object.keys(answer.body)).toEqual(['error']);
  const { message, hint, place, problems } = answer.body.error;
  expect(`${message} ${hint} ${JSON.stringify(problems ?? [])}`).toContain(says);
  // It says what to do: in a hint, or by naming the place and what was expected there.
  expect(hint ?? (place !== undefined && /expected/.test(message) ? 'expected' : '')).not.toBe('');
  expect(api.context.catalog.revision, 'nothing was written').toBe(revision);
  expect(JSON.stringify(answer.body)).not.toContain('hunter2');
});

test('registerV2() names the place of a broken definition', async () => {
  const text = '{\n  "id": "x",\n  "environment": {\n    "ENV": "production"\n    "PORT": 8080\n  }\n}';
  const { body } = await api.ask('PUT', '/v2/definitions/x', { text });
  expect(body.error).toMatchObject({ place: { line: 5, column: 5 }, hint: 'add a comma at the end of line 4' });
  expect(body.error.message).toContain("expected ','");
  expect(body.error.excerpt).toContain('"PORT": 8080');
});

test('registerV2() shows nothing of a secret that is broken', async () => {
  for (const text of [
    '{"value": "hunter2"',
    '{"value": hunter2}',
    '{"value": ["hunter2"]}',
    '{"hunter2x": "hunter2"}',
  ]) {
    const { body } = await api.ask('PUT', DATASTORE, { text });
    expect(JSON.stringify(body).replaceAll('hunter2x', '')).not.toContain('hunter2');
  }
});

test('registerV2() reports every problem of a list at once, each with its place', async () => {
  const { body } = await api.ask('PUT', '/v2/definitions', {
    body: [
      { id: 'x', local_port: 99_999 },
      { id: 'y', provids: {} },
    ],
  });
  const problems = body.error.problems as { code: string; place: { path: string } }[];
  expect(problems.map(({ code, place }) => [code, place.path])).toEqual([
    ['DEFINITION_INVALID', '[0].local_port'],
    ['DEFINITION_UNKNOWN_KEY', '[1].provids'],
  ]);
});

test('registerV2() says nothing of its inside when it fails, and logs it', async () => {
  await using broken = await startTestApi({ nodes: ['n'] });
  Object.assign(broken.context, {
    httpAddress: () => {
      throw new Error('/secret/path');
    },
  });
  const { status, body } = await broken.ask('GET', '/v2/status');
  expect([status, body.error.code]).toEqual([500, 'API_INTERNAL']);
  expect(JSON.stringify(body)).not.toContain('secret');
  expect(broken.logged).toEqual(['/secret/path']);
});
