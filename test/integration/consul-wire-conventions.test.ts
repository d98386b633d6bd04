import { connect, type Socket } from 'node:net';
import { request as httpRequest } from 'node:http';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent, ROOT_TOKEN } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** What holds for every endpoint: consul-http-api 1, 1.1, 1.2. */

let agent: ConsulAgent;
let wire: Wire;
beforeAll(async () => {
  agent = await ConsulAgent.start({ flags: ['-server'], configuration: { node_name: 'n1' } });
  wire = new Wire(agent.url);
  await wire.ok('PUT agent/service/register', { body: { Name: 'web', Check: { TTL: '1h' } } });
  await wire.ok('PUT kv/a', { body: 'x' });
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
});

describe('methods', () => {
  const ALLOWED: [call: string, allow: string][] = [
    ['POST kv/a', 'GET,PUT,DELETE'],
    ['PATCH kv/a', 'GET,PUT,DELETE'],
    ['PROPFIND kv/a', 'GET,PUT,DELETE'],
    ['GET session/create', 'PUT'],
    ['POST session/destroy/x', 'PUT'],
    ['GET session/renew/x', 'PUT'],
    ['PUT session/info/x', 'GET'],
    ['DELETE session/node/x', 'GET'],
    ['POST session/list', 'GET'],
    ['GET txn', 'PUT'],
    ['POST txn', 'PUT'],
    ['GET catalog/register', 'PUT'],
    ['DELETE catalog/deregister', 'PUT'],
    ['PUT catalog/datacenters', 'GET'],
    ['POST catalog/nodes', 'GET'],
    ['PUT catalog/services', 'GET'],
    ['PUT catalog/service/web', 'GET'],
    ['DELETE catalog/node/n1', 'GET'],
    ['POST catalog/node-services/n1', 'GET'],
    ['PUT catalog/connect/web', 'GET'],
    ['PUT catalog/gateway-services/web', 'GET'],
    ['PUT health/node/n1', 'GET'],
    ['POST health/checks/web', 'GET'],
    ['DELETE health/state/any', 'GET'],
    ['PUT health/service/web', 'GET'],
    ['PUT health/connect/web', 'GET'],
    ['PUT health/ingress/web', 'GET'],
  ];

  test.each(ALLOWED)('http 1: a wrong method is 405 with what is right: %s', async (call, allow) => {
    const [method] = call.split(' ');
    const { status, text, headers } = await wire.ask(call, method === 'GET' ? {} : { body: 'x' });
    expect([status, text, headers.allow]).toEqual([405, `method ${method} not allowed`, `OPTIONS,${allow}`]);
    expect(headers['content-type']).toMatch(/^text\/plain/);
  });

  test.each(ALLOWED)('http 1: OPTIONS is 200 with Allow and no body: %s', async (call, allow) => {
    const { status, text, headers } = await wire.ask(`OPTIONS ${call.split(' ')[1]}`);
    expect([status, text, headers.allow]).toEqual([200, '', `OPTIONS,${allow}`]);
  });

  test.each(['kv/a', 'catalog/nodes', 'health/state/any', 'session/list', 'txn', 'agent/self', 'status/leader'])(
    'http 1: HEAD is 405 everywhere: %s',
    async (where) => {
      const { status, bytes } = await wire.ask(`HEAD ${where}`);
      expect([status, bytes.length]).toEqual([405, 0]);
    },
  );
});

describe('paths', () => {
  testRows(
    () => wire,
    [
      ['http 1: / says what this is', 'GET /', 200, /^Consul Agent/],
      ['http 1: an unknown path is 404', 'GET nothing', 404, /./],
      ['http 1: so is one without a part', 'GET kv', 404, /./],
      ['http 1: so is an exact one with more', 'GET catalog/nodes/', 404, /./],
      ['http 1: so is one outside /v1', 'GET /v2x/kv/a', 404, /./],
      ['http 1: a character that cannot be printed is 400', 'GET catalog/service/a%0Ab', 400, /./],
      ['http 1: so is NUL', 'GET health/service/%00', 400, /./],
      ['http 1: so is a broken escape', 'GET catalog/service/%zz', 400, /./],
      ['http 1: a key may have any byte', 'GET kv/a%00b', 404, ''],
    ],
  );

  test('http 1: the rest of a prefix is percent-decoded and may hold /, # and :', async () => {
    const body = { ID: 'app#127.0.0.1#3000/x:y', Name: 'app', Port: 3000 };
    await wire.ok('PUT agent/service/register', { body });
    expect(await wire.json('GET agent/service/app%23127.0.0.1%233000/x:y')).toMatchObject({ ID: body.ID });
    expect((await wire.ok('PUT agent/service/deregister/app%23127.0.0.1%233000%2Fx%3Ay')).text).toBe('');
    expect((await wire.ok('GET catalog/service/app')).text).toBe('[]');
  });

  test('http 1: the whole URL in the request line, as clients of a proxy send it', async () => {
    const host = `${agent.host}:${agent.port}`;
    expect((await wire.ok(`GET http://${host}/v1/kv/a?raw`)).text).toBe('x');
  });

  test('http 1: HTTP/1.0, and pipelined requests in their order', async () => {
    expect(await wire.raw('GET /v1/status/leader HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 [^]*:8300"/);
    const host = `Host: ${agent.host}:${agent.port}\r\n`;
    const said = await wire.raw(
      `PUT /v1/kv/p HTTP/1.1\r\n${host}Content-Length: 1\r\n\r\ny` +
        `GET /v1/kv/p?raw HTTP/1.1\r\n${host}\r\nGET /v1/status/peers HTTP/1.1\r\n${host}Connection: close\r\n\r\n`,
    );
    expect(said).toMatch(/true[^]*text\/plain[^]*y[^]*:8300/);
  });
});

describe('bodies of answers', () => {
  test.each([
    ['kv/?keys', '["a","p"]'],
    ['catalog/service/none', '[]'],
    ['catalog/connect/none', '[]'],
    ['health/service/none', '[]'],
    ['health/checks/none', '[]'],
    ['health/node/none', '[]'],
    ['health/state/warning', '[]'],
    ['session/list', '[]'],
    ['session/node/none', '[]'],
    ['event/list', '[]'],
    ['query', '[]'],
    ['catalog/services?node-meta=no:no', '{}'],
  ])('http 1: JSON, and what is empty is a list or a map: %s', async (where, body) => {
    const { text, headers } = await wire.ok(`GET ${where}`);
    expect([text, headers['content-type']]).toEqual([body, 'application/json']);
  });

  test.each<[string, unknown?]>([
    ['PUT agent/service/register', { Name: 'brief', Check: { TTL: '1h' } }],
    ['PUT agent/check/pass/service:brief'],
    ['PUT agent/check/warn/service:brief'],
    ['PUT agent/check/fail/service:brief'],
    ['PUT agent/check/update/service:brief', { Status: 'passing' }],
    ['PUT agent/service/maintenance/brief?enable=true'],
    ['PUT agent/maintenance?enable=false'],
    ['PUT agent/service/deregister/brief'],
  ])('http 1: a handler with no result answers 200 with an empty body: %s', async (call, body) => {
    const { text, headers } = await wire.ok(call, { body });
    expect([text, headers['content-length']]).toEqual(['', '0']);
  });

  test.each(['pretty', 'pretty=', 'pretty=1', 'pretty=false'])(
    'http 1: ?%s indents by four, with a newline',
    async (how) => {
      expect((await wire.ok(`GET catalog/datacenters?${how}`)).text).toBe('[\n    "dc1"\n]\n');
      expect((await wire.ok(`GET kv/a?${how}`)).text).toMatch(/^\[\n {4}\{\n {8}"LockIndex": 0,\n/);
      expect((await wire.ok(`GET catalog/service/none?${how}`)).text).toBe('[]\n');
    },
  );

  test.each(['gzip', 'gzip, deflate, br', 'deflate;q=1, gzip;q=0.5'])(
    'http 1: Accept-Encoding: %s compresses however short',
    async (accepted) => {
      const reply = await wire.ok('GET catalog/datacenters', { headers: { 'Accept-Encoding': accepted } });
      expect(reply.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding' });
      expect(gunzipSync(reply.bytes).toString()).toBe('["dc1"]');
    },
  );

  test.each(['', 'identity', 'deflate', 'gzip;q=0'])('http 1: Accept-Encoding: %j does not', async (accepted) => {
    const reply = await wire.ok('GET catalog/datacenters', { headers: { 'Accept-Encoding': accepted } });
    expect([reply.headers['content-encoding'], reply.text]).toEqual([undefined, '["dc1"]']);
    expect(reply.headers.vary).toBe('Accept-Encoding');
  });
});

describe('bodies of requests', () => {
  test('http 1: keys of any case, and the snake_case of files', async () => {
    const check = {
      id: 'sc',
      NAME: 'sc',
      ttl: '1h',
      success_before_passing: 1,
      deregister_critical_service_after: '90m',
    };
    const body = {
      name: 'snake',
      Enable_Tag_Override: true,
      tagged_addresses: { lan: { address: '10.0.0.1', port: 1 } },
      CHECK: check,
    };
    await wire.ok('PUT agent/service/register', { body });
    expect(await wire.json('GET agent/service/snake')).toMatchObject({
      EnableTagOverride: true,
      TaggedAddresses: { lan: { Address: '10.0.0.1', Port: 1 } },
    });
    const more = {
      name: 'more',
      service_id: 'snake',
      http: 'http://127.0.0.1:1',
      tls_skip_verify: true,
      interval: '1h',
    };
    await wire.ok('PUT agent/check/register', { body: more });
    expect(await wire.json('GET agent/checks')).toMatchObject({
      sc: { ServiceID: 'snake' },
      more: { ServiceID: 'snake' },
    });
    await wire.ok('PUT agent/service/deregister/snake');
  });

  test('http 1: fields nobody knows are ignored in what is registered', async () => {
    const strange = { Nonsense: { a: [1] }, SomethingNew: null };
    await wire.ok('PUT agent/service/register', { body: { Name: 'strange', ...strange } });
    await wire.ok('PUT agent/service/deregister/strange');
    const body = { Node: 'strange', Address: '10.0.0.1', ...strange };
    await wire.ok('PUT catalog/register', { body });
    await wire.ok('PUT catalog/deregister', { body });
  });

  test.each<[unknown, string]>([
    ['10s', '10s'],
    ['1m30s', '1m30s'],
    ['250ms', '250ms'],
    ['1.5h', '1h30m0s'],
    [10_000_000_000, '10s'],
  ])('http 1: a duration as %j', async (Interval, shown) => {
    const body = { Name: 'timed', ID: 'timed', HTTP: 'http://127.0.0.1:1', Interval };
    await wire.ok('PUT agent/check/register', { body });
    const { timed } = await wire.json<Record<string, { Interval: string }>>('GET agent/checks');
    expect([Interval, shown]).toContain(timed?.Interval);
    await wire.ok('PUT agent/check/deregister/timed');
  });

  const DECODE = /^Request decode failed: ./;
  const INVALID_DURATION = /^Request decode failed: .*invalid duration/;
  testRows(
    () => wire,
    [
      [
        'http 1: a duration without a unit',
        'PUT agent/check/register',
        400,
        INVALID_DURATION,
        { Name: 'x', TTL: '10' },
      ],
      [
        'http 1: a duration of words',
        'PUT agent/check/register',
        400,
        INVALID_DURATION,
        { Name: 'x', Interval: 'soon' },
      ],
      [
        'http 1: one within a service',
        'PUT agent/service/register',
        400,
        INVALID_DURATION,
        { Name: 'x', Check: { TTL: 'x' } },
      ],
      ['http 1: no JSON', 'PUT agent/service/register', 400, DECODE, '{'],
      ['http 1: another kind of JSON', 'PUT agent/check/register', 400, DECODE, '[1]'],
      ['http 1: a member of another kind', 'PUT agent/service/register', 400, DECODE, { Name: ['x'] }],
      ['http 1: no body where one is needed', 'PUT agent/check/register', 400, DECODE],
      ['http 1: no body where one may be', 'PUT session/create', 200, /^\{"ID":/],
      ['http 1: an empty body where one may be', 'PUT session/create', 200, /^\{"ID":/, ''],
      [
        'http 1: a body over the limit of what is no key',
        'PUT catalog/register',
        413,
        /^Request body\(\d+ bytes\) too large, max size: \d+ bytes\. See https?:\/\/\S+\.$/,
        Buffer.alloc(3_000_000, ' '),
      ],
      ['http 1: any ACL call without ACLs is 401', 'GET acl/tokens', 401, 'ACL support disabled'],
      ['http 1: so is a change', 'PUT acl/policy', 401, 'ACL support disabled', {}],
    ],
  );
});

describe('query parameters', () => {
  const READS = `kv/a kv/a?raw kv/a?recurse kv/a?keys catalog/nodes catalog/services catalog/service/web catalog/node/n1
    catalog/node-services/n1 health/node/n1 health/checks/web health/state/any health/service/web session/list session/node/n1
    session/info/x coordinate/nodes event/list`.split(/\s+/);
  const and = (where: string, more: string): string => `GET ${where}${where.includes('?') ? '&' : '?'}${more}`;
  const BLOCKING = READS.filter((where) => where !== 'event/list');

  test.each(READS)('http 1.1: dc: one that is unknown is 500: %s', async (where) => {
    const { status, text } = await wire.ask(and(where, 'dc=mars'));
    expect([status, text]).toEqual([500, 'No path to datacenter']);
    expect((await wire.ask(and(where, 'dc=dc1'))).status).toBe(200);
  });

  test.each(BLOCKING)('http 1.1: stale and consistent are heeded, and exclude each other: %s', async (where) => {
    const levels = [
      '',
      'stale',
      'stale=',
      'stale=true',
      'stale=false',
      'consistent',
      'consistent=false',
      'leader',
      'max_stale=10s',
    ];
    const got = [];
    for (const level of levels) got.push((await wire.ok(and(where, level))).headers['x-consul-effective-consistency']);
    expect(got).toEqual(['leader', 'stale', 'stale', 'stale', 'stale', 'consistent', 'consistent', 'leader', 'stale']);
    const both = await wire.ask(and(where, 'stale&consistent'));
    const text = 'Cannot specify ?stale with ?consistent, conflicting semantics.';
    expect([both.status, both.text]).toEqual([400, text]);
    const bad = await wire.ask(and(where, 'max_stale=x'));
    expect([bad.status, bad.text]).toEqual([400, 'Invalid max_stale value "x"']);
  });

  test('http 1.1: cached says whether it was, however the cache is to be controlled', async () => {
    for (const control of ['', 'max-age=60', 'max-age=60, stale-if-error=60', 'must-revalidate', 'max-age=x']) {
      const { headers } = await wire.ok('GET catalog/service/web?cached', { headers: { 'Cache-Control': control } });
      expect(headers['x-cache']).toMatch(/^(?:HIT|MISS)$/);
      expect(headers.age).toMatch(/^\d+$/);
    }
    expect((await wire.ok('GET catalog/service/web')).headers).not.toHaveProperty('x-cache');
  });

  test.each(['ns=default', 'partition=default', 'peer=', 'near=n1', 'near=_agent', 'near=_ip', 'relay-factor=2'])(
    'http 1.1: %s is taken',
    async (what) => {
      await wire.ok(`GET catalog/nodes?${what}`);
      await wire.ok(`GET health/service/web?${what}`);
    },
  );

  test.each(['ns', 'partition', 'peer'])('http 1.1: another %s is 400', async (name) => {
    for (const call of ['GET catalog/nodes', 'GET kv/a', 'PUT kv/a', 'GET session/list', 'PUT txn']) {
      const { status, text } = await wire.ask(`${call}?${name}=other`);
      expect([status, text.startsWith(`Invalid query parameter: "${name}" - `)], call).toEqual([400, true]);
    }
  });

  test('http 1.1: node-meta may come several times, which all have to be', async () => {
    const NodeMeta = { a: '1', b: '2' };
    await wire.ok('PUT catalog/register', { body: { Node: 'meta', Address: '10.0.0.1', NodeMeta } });
    const count = async (query: string): Promise<number> =>
      (await wire.json<unknown[]>(`GET catalog/nodes?${query}`)).length;
    expect(await count('node-meta=a:1&node-meta=b:2')).toBe(1);
    expect(await count('node-meta=a:1&node-meta=b:3')).toBe(0);
    await wire.ok('PUT catalog/deregister', { body: { Node: 'meta' } });
  });
});

describe('headers of answers', () => {
  const READS =
    `kv/a kv/none kv/a?raw kv/a?keys kv/a?recurse catalog/nodes catalog/services catalog/service/web catalog/node/n1
    catalog/node-services/n1 catalog/connect/web catalog/gateway-services/web health/node/n1 health/checks/web health/state/any
    health/service/web health/connect/web health/ingress/web session/list session/node/n1 session/info/x`.split(/\s+/);

  test.each(READS)('http 1.2: every blocking read has them all: %s', async (where) => {
    const { headers } = await wire.ask(`GET ${where}`);
    expect(headers['x-consul-index']).toMatch(/^[1-9]\d*$/);
    expect(headers).toMatchObject({
      'x-consul-knownleader': 'true',
      'x-consul-lastcontact': expect.stringMatching(/^\d+$/),
      'x-consul-effective-consistency': 'leader',
      'x-consul-query-backend': 'blocking-query',
      'x-consul-default-acl-policy': 'allow',
    });
    expect(headers).not.toHaveProperty('x-consul-results-filtered-by-acls');
    expect(headers).not.toHaveProperty('x-consul-translate-addresses');
  });
});

describe('an agent with ACLs and settings of its own', () => {
  let strict: ConsulAgent;
  let root: Wire;
  let nobody: Wire;
  let directory = '';
  let socketPath = '';
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'drover-wire-'));
    socketPath = path.join(directory, 'http.sock');
    strict = await ConsulAgent.start({
      flags: ['-dev'],
      configuration: {
        node_name: 'n1',
        addresses: { http: `127.0.0.1 unix://${socketPath}` },
        acl: { enabled: true, default_policy: 'deny', tokens: { initial_management: ROOT_TOKEN } },
        http_config: { response_headers: { 'X-Own': 'yes' }, block_endpoints: ['/v1/event/', '/v1/agent/join'] },
        disable_http_unprintable_char_filter: true,
        translate_wan_addrs: true,
        limits: { http_max_conns_per_client: 40 },
      },
    });
    root = new Wire(strict.url, { 'X-Consul-Token': ROOT_TOKEN });
    nobody = new Wire(strict.url);
    await root.ok('PUT kv/a', { body: 'x' });
    await root.ok('PUT kv/b', { body: 'x' });
    const Rules = 'key "a" { policy = "write" } node_prefix "" { policy = "read" }';
    await root.ok('PUT acl/policy', { body: { Name: 'a', Rules } });
    await root.ok('PUT acl/token', { body: { SecretID: SECRET, Policies: [{ Name: 'a' }] } });
  });
  afterAll(async () => {
    root?.[Symbol.dispose]();
    nobody?.[Symbol.dispose]();
    await strict?.[Symbol.asyncDispose]();
    await rm(directory, { recursive: true, force: true });
  });

  const SECRET = '1d7a1b0e-7a3c-4f50-9d52-0c1f1f1c0a11';
  const asked = (call: string, headers: Record<string, string> = {}): Promise<number> =>
    nobody.ask(call, { headers }).then(({ status }) => status);

  test('http 1: -dev indents every answer', async () => {
    expect((await root.ok('GET catalog/datacenters')).text).toBe('[\n    "dc1"\n]\n');
  });

  test('http 1: a Unix socket answers as well', async () => {
    const status = await new Promise((resolve, reject) => {
      httpRequest({ socketPath, path: '/v1/status/leader' }, (reply) => {
        reply.resume().on('end', () => resolve(reply.statusCode));
      })
        .on('error', reject)
        .end();
    });
    expect(status).toBe(200);
  });

  test('http 1: response_headers are in every response', async () => {
    for (const call of ['GET kv/a', 'GET nothing', 'POST kv/a', 'GET kv/', 'OPTIONS kv/a', 'GET event/list', 'GET /'])
      expect((await root.ask(call)).headers, call).toHaveProperty('x-own', 'yes');
  });

  testRows(
    () => root,
    [
      ['http 1: block_endpoints are 403', 'GET event/list', 403, 'Endpoint is blocked by agent configuration'],
      ['http 1: whatever the method', 'PUT event/fire/x', 403, 'Endpoint is blocked by agent configuration', 'x'],
      ['http 1: also a part of one', 'PUT agent/join/127.0.0.1', 403, 'Endpoint is blocked by agent configuration'],
      ['http 1: disable_http_unprintable_char_filter', 'GET catalog/service/a%0Ab', 200, []],
      [
        'http 1: a body of ACLs with a field nobody knows is 400',
        'PUT acl/policy',
        400,
        /Nonsense/i,
        { Name: 'n', Nonsense: 1 },
      ],
      ['http 1: so is a token', 'PUT acl/token', 400, /Nonsense/i, { Nonsense: 1 }],
      ['http 1: so is a role', 'PUT acl/role', 400, /Nonsense/i, { Name: 'n', Nonsense: 1 }],
    ],
  );

  test.each<[string, unknown?]>([
    ['GET kv/a'],
    ['GET kv/a?raw'],
    ['PUT kv/a', 'x'],
    ['DELETE kv/a'],
    ['GET catalog/nodes'],
    ['GET health/state/any'],
    ['PUT session/create', {}],
    ['GET session/list'],
    ['PUT catalog/register', { Node: 'x', Address: '10.0.0.1' }],
    ['PUT txn', [{ KV: { Verb: 'get', Key: 'a' } }]],
    ['GET agent/self'],
  ])('http 1: 403 for a token that is unknown: %s', async (call, body) => {
    const { status, text } = await nobody.ask(call, { body, headers: { 'X-Consul-Token': 'unknown' } });
    expect([status, text]).toEqual([403, expect.stringMatching(/^ACL not found/)]);
  });

  test.each<[string, unknown?]>([
    ['GET kv/b'],
    ['GET kv/b?raw'],
    ['PUT kv/b', 'x'],
    ['DELETE kv/b'],
    ['DELETE kv/?recurse'],
    ['PUT session/create', {}],
    ['PUT catalog/register', { Node: 'x', Address: '10.0.0.1' }],
    ['PUT catalog/deregister', { Node: 'n1' }],
  ])('http 1: 403 for what a token may not: %s', async (call, body) => {
    for (const headers of [{}, { 'X-Consul-Token': SECRET }]) {
      const { status, text } = await nobody.ask(call, { body, headers });
      expect([status, text]).toEqual([403, expect.stringMatching(/Permission denied/)]);
    }
  });

  test('http 1: a transaction tells which of its operations may not be, with 409', async () => {
    const body = [{ KV: { Verb: 'set', Key: 'a', Value: '' } }, { KV: { Verb: 'set', Key: 'b', Value: '' } }];
    const reply = await nobody.ask('PUT txn', { body, headers: { 'X-Consul-Token': SECRET } });
    const What = expect.stringMatching(/^Permission denied/) as unknown;
    expect([reply.status, reply.json()]).toEqual([409, { Results: null, Errors: [{ OpIndex: 1, What }] }]);
    expect((await root.ok('GET kv/a?raw')).text).toBe('x');
  });

  test.each([
    'catalog/nodes',
    'catalog/service/consul',
    'health/state/any',
    'health/node/n1',
    'health/service/consul',
    'session/list',
  ])('http 1.2: what may not be read is left out, which is told to who shows a token: %s', async (where) => {
    const plain = await nobody.ok(`GET ${where}`);
    expect(plain.json()).toEqual([]);
    expect(plain.headers).not.toHaveProperty('x-consul-results-filtered-by-acls');
    expect(plain.headers).toMatchObject({ 'x-consul-default-acl-policy': 'deny' });
  });

  test('http 1.2: X-Consul-Results-Filtered-By-ACLs for a token from which something was kept', async () => {
    const headers = { 'X-Consul-Token': SECRET };
    for (const where of [
      'kv/?keys',
      'kv/?recurse',
      'catalog/services',
      'catalog/service/consul',
      'health/service/consul',
    ])
      expect((await nobody.ok(`GET ${where}`, { headers })).headers, where).toMatchObject({
        'x-consul-results-filtered-by-acls': 'true',
      });
    const all = await nobody.ok('GET catalog/nodes', { headers });
    expect(all.json()).toHaveLength(1);
    expect(all.headers).not.toHaveProperty('x-consul-results-filtered-by-acls');
  });

  test('http 1.2: X-Consul-Translate-Addresses where addresses are translated', async () => {
    expect((await root.ok('GET catalog/nodes')).headers).toMatchObject({ 'x-consul-translate-addresses': 'true' });
  });

  test('http 1.1: the token of ?token= counts before X-Consul-Token, and that before Authorization', async () => {
    const bearer = { Authorization: `Bearer ${ROOT_TOKEN}` };
    const header = { 'X-Consul-Token': ROOT_TOKEN };
    expect(await asked('GET kv/b')).toBe(403);
    expect(await asked(`GET kv/b?token=${ROOT_TOKEN}`)).toBe(200);
    expect(await asked('GET kv/b', header)).toBe(200);
    expect(await asked('GET kv/b', bearer)).toBe(200);
    expect(await asked('GET kv/b', { Authorization: `bearer ${ROOT_TOKEN}` })).toBe(200);
    expect(await asked(`GET kv/b?token=${SECRET}`, header)).toBe(403);
    expect(await asked(`GET kv/b?token=${ROOT_TOKEN}`, { 'X-Consul-Token': SECRET })).toBe(200);
    expect(await asked('GET kv/b', { 'X-Consul-Token': SECRET, ...bearer })).toBe(403);
    expect(await asked('GET kv/a', { Authorization: `Basic ${ROOT_TOKEN}` })).toBe(403);
  });

  test('http 1.1: then the default token of the agent, then the anonymous one', async () => {
    await root.ok('PUT agent/token/default', { body: { Token: SECRET } });
    expect(await asked('GET kv/a')).toBe(200);
    await root.ok('PUT agent/token/default', { body: { Token: '' } });
    expect(await asked('GET kv/a')).toBe(403);
  });

  test.each([
    ['kv/a', 'PUT kv/a'],
    ['kv/?keys', 'PUT kv/a2'],
    ['kv/?recurse', 'PUT kv/a'],
  ])('http 2: who waits for %s is refused once the token is gone', async (where, change) => {
    const Rules = 'key_prefix "" { policy = "write" }';
    await root.ok('PUT acl/policy', { body: { Name: 'brief', Rules } });
    const token = await root.json<{ AccessorID: string; SecretID: string }>('PUT acl/token', {
      body: { Policies: [{ Name: 'brief' }] },
    });
    const headers = { 'X-Consul-Token': token.SecretID };
    const { index } = await nobody.ok(`GET ${where}`, { headers });
    const waiting = nobody.ask(`GET ${where}${where.includes('?') ? '&' : '?'}index=${index}&wait=30s`, { headers });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await root.ok(`DELETE acl/token/${token.AccessorID}`);
    await root.ok(change, { body: `changed at ${performance.now()}` });
    const { status, text } = await waiting;
    expect([status, text]).toEqual([403, expect.stringMatching(/^ACL not found/)]);
    const { ID } = await root.json<{ ID: string }>('GET acl/policy/name/brief');
    await root.ok(`DELETE acl/policy/${ID}`);
  });

  test('http 1.1: a token is never in the log', async () => {
    const gone = new AbortController();
    let said = '';
    const following = fetch(`${strict.url}/v1/agent/monitor?loglevel=trace`, {
      headers: { 'X-Consul-Token': ROOT_TOKEN },
      signal: gone.signal,
    });
    const reader = (await following).body?.getReader();
    const reading = (async () => {
      for (;;) {
        const part = await reader?.read();
        if (part === undefined || part.done) return;
        said += Buffer.from(part.value).toString();
      }
    })().catch(() => undefined);
    for (const secret of [ROOT_TOKEN, SECRET, 'unknown-token']) {
      await nobody.ask(`GET kv/logged?token=${secret}`);
      await nobody.ask(`PUT kv/logged?TOKEN=${secret}&flags=1&token=${secret}`, { body: 'x' });
      await nobody.ask('GET kv/logged', { headers: { Authorization: `Bearer ${secret}` } });
    }
    await until(() => said.split('/v1/kv/logged').length > 9);
    gone.abort();
    await reading;
    expect(said).toContain('<hidden>');
    for (const secret of [ROOT_TOKEN, SECRET, 'unknown-token']) expect(said).not.toContain(secret);
  });

  test('http 1: 429 for one connection too many of an address', async () => {
    const sockets: Socket[] = [];
    try {
      const said = await new Promise<string>((resolve, reject) => {
        for (let n = 0; n < 45; n++) {
          const socket = connect(strict.port, strict.host).setEncoding('latin1');
          sockets.push(socket);
          socket.on('error', () => undefined).once('data', (chunk) => resolve(String(chunk)));
        }
        setTimeout(() => reject(new Error('nobody was refused')), 10_000).unref();
      });
      expect(said).toMatch(/^HTTP\/1\.1 429 /);
    } finally {
      for (const socket of sockets) socket.destroy();
    }
  });
});
