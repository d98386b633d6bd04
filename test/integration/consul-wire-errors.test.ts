import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ConsulAgent } from './consul-agent.ts';
import { Wire } from './consul-wire.ts';

/** Texts that client programs match (consul-clients), and one of each status (consul-http-api 1). */

const ROOT = 'b1b2b3b4-0000-4000-8000-000000000001';
const NONE = 'b5a8ac0c-7a41-4a5a-8b8a-0a0d58b5f9d1';

let agent: ConsulAgent;
let open: ConsulAgent;
let root: Wire;
let nobody: Wire;
let openWire: Wire;
beforeAll(async () => {
  const acl = { enabled: true, default_policy: 'deny', tokens: { initial_management: ROOT } };
  [agent, open] = await Promise.all([
    ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'n1', acl } }),
    ConsulAgent.start({
      flags: ['-dev'],
      configuration: { node_name: 'open', http_config: { block_endpoints: ['/v1/agent/host'] } },
    }),
  ]);
  root = new Wire(agent.url, { 'X-Consul-Token': ROOT });
  nobody = new Wire(agent.url);
  openWire = new Wire(open.url);
  await root.ok('PUT agent/check/register', { body: { Name: 'alias', AliasNode: 'n1' } });
  await root.ok('PUT acl/token', { body: {} });
});
afterAll(async () => {
  for (const wire of [root, nobody, openWire]) wire?.[Symbol.dispose]();
  await Promise.all([agent?.[Symbol.asyncDispose](), open?.[Symbol.asyncDispose]()]);
});

const lock = (Session: string) => [{ KV: { Verb: 'lock', Key: 'a', Value: '', Session } }];
const get = [{ KV: { Verb: 'get', Key: 'none' } }];
const cas = [{ KV: { Verb: 'cas', Key: 'none', Value: '', Index: 7 } }];
const script = { Name: 'x', Args: ['true'], Interval: '10s' };
const service = (check: object) => ({ Name: 'x', Check: check });

describe('texts', () => {
  test.each<[text: string, call: string, status: number, said: RegExp, body?: unknown]>([
    ['invalid session', `PUT kv/a?acquire=${NONE}`, 500, /^invalid session /, 'v'],
    ['Invalid Session TTL', 'PUT session/create', 500, /^Invalid Session TTL /, { TTL: '1s' }],
    ['does not have associated TTL', 'PUT agent/check/pass/alias', 500, /does not have associated TTL$/],
    ['Unknown check ID', 'PUT agent/check/pass/none', 404, /^Unknown check ID "none"/],
    ['Unknown service ID', 'PUT agent/service/deregister/none', 404, /^Unknown service ID "none"/],
    ['No path to datacenter', 'GET catalog/nodes?dc=mars', 500, /^No path to datacenter$/],
    ['Query not found', 'GET query/none/execute', 404, /^Query not found$/],
    ['Missing node registration', 'PUT session/create', 500, /^Missing node registration$/, { Node: 'none' }],
    ['missing session', 'PUT txn', 409, /missing session/, lock('')],
    ["doesn't exist", 'PUT txn', 409, /doesn't exist/, get],
    ['index is stale', 'PUT txn', 409, /index is stale/, cas],
    ['invalid duration', 'PUT agent/service/register', 400, /invalid duration/, service({ TTL: 'x' })],
    [
      'Scripts are disabled on this agent',
      'PUT agent/check/register',
      400,
      /Scripts are disabled on this agent/,
      script,
    ],
    [
      'ACL bootstrap no longer allowed',
      'PUT acl/bootstrap',
      403,
      /ACL bootstrap no longer allowed \(reset index: \d+\)/,
    ],
  ])('clients: %s: %s', async (_, call, status, said, body) => {
    const reply = await root.ask(call, { body });
    expect({ status: reply.status, text: reply.text }).toEqual({ status, text: expect.stringMatching(said) });
  });

  test('clients: Permission denied: GET agent/self', async () => {
    const reply = await nobody.ask('GET agent/self');
    expect(reply).toMatchObject({ status: 403, text: expect.stringMatching(/^Permission denied/) });
  });

  test('clients: ACL not found: GET agent/self', async () => {
    expect(await nobody.ask(`GET agent/self?token=${NONE}`)).toMatchObject({ status: 403, text: 'ACL not found' });
  });

  test('clients: ACL support disabled: GET acl/tokens', async () => {
    expect(await openWire.ask('GET acl/tokens')).toMatchObject({ status: 401, text: 'ACL support disabled' });
  });
});

describe('statuses', () => {
  const big = 'x'.repeat(600_000);
  const many = Array.from({ length: 129 }, () => ({ KV: { Verb: 'get-or-empty', Key: 'a' } }));
  test.each<[status: number, call: string, said: RegExp, body?: unknown]>([
    [400, 'GET health/service/', /^Missing service name$/],
    [400, 'GET kv/a?index=x', /^Invalid index$/],
    [400, 'GET catalog/nodes?wait=x', /^Invalid wait time$/],
    [400, 'GET catalog/nodes?ns=other', /^Invalid query parameter: "ns"/],
    [401, 'PUT acl/token', /^ACL support disabled$/, {}],
    [403, 'GET agent/host', /^Endpoint is blocked by agent configuration$/],
    [404, 'GET agent/service/none', /^unknown service ID: none$/],
    [405, 'POST kv/a', /^method POST not allowed$/, 'v'],
    [409, 'PUT txn', /"What":"key \\"none\\" doesn't exist"/, get],
    [413, 'PUT kv/a', /^Request body\(600000 bytes\) too large, max size: 524288 bytes\./, big],
    [413, 'PUT txn', /^Transaction contains too many operations \(129 > 128\)/, many],
    [415, 'GET agent/metrics?format=prometheus', /rometheus/],
    [500, 'GET kv/a?dc=mars', /^No path to datacenter$/],
    [501, 'GET discovery-chain/web', /./],
  ])('http 1: %i: %s', async (status, call, said, body) => {
    const reply = await openWire.ask(call, { body });
    // -dev pretty-prints the JSON of a refused transaction.
    const text = reply.text.replaceAll(/": /g, '":');
    expect({ status: reply.status, text }).toEqual({ status, text: expect.stringMatching(said) });
    const type = status === 409 ? 'application/json' : 'text/plain';
    expect(reply.headers['content-type']).toMatch(new RegExp(`^${type}`));
  });

  test('http 1: 405 says which methods there are', async () => {
    const reply = await openWire.ask('DELETE status/leader');
    expect(reply).toMatchObject({ status: 405, headers: { allow: 'OPTIONS,GET' } });
  });

  test('http 1: 404 of a path that nobody knows', async () => {
    expect((await openWire.ask('GET /v1/none')).status).toBe(404);
    expect((await openWire.ask('GET /none')).status).toBe(404);
  });

  test('http 1: 429: too many connections of an address are told so', async () => {
    const configuration = { node_name: 'narrow', limits: { http_max_conns_per_client: 1 } };
    await using narrow = await ConsulAgent.start({ flags: ['-dev'], configuration });
    using first = new Wire(narrow.url);
    using second = new Wire(narrow.url);
    await first.ok('GET status/leader');
    expect((await second.ask('GET status/leader')).status).toBe(429);
  });
});
