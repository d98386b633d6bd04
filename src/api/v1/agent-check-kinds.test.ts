import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { startTestApi, type TestApi } from '../testing.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api[Symbol.asyncDispose]());
afterEach(() => api.node.clear());

const TIMED = { Interval: '10s', Timeout: '2s' };

test.each([
  ['udp', { UDP: '127.0.0.1:9', ...TIMED }, { UDP: '127.0.0.1:9', ...TIMED }],
  ['udp', { udp: '127.0.0.1:9', interval: '10s', timeout: '2s' }, { UDP: '127.0.0.1:9', ...TIMED }],
  [
    'grpc',
    { GRPC: '127.0.0.1:9/web', GRPCUseTLS: true, TLSServerName: 'web', ...TIMED },
    { GRPC: '127.0.0.1:9/web', GRPCUseTLS: true, TLSServerName: 'web', ...TIMED },
  ],
  [
    'grpc',
    { grpc: '127.0.0.1:9', grpc_use_tls: false, ...TIMED },
    { GRPC: '127.0.0.1:9', GRPCUseTLS: false, ...TIMED },
  ],
  ['h2ping', { H2PING: '127.0.0.1:9', ...TIMED }, { H2PING: '127.0.0.1:9', H2PingUseTLS: true, ...TIMED }],
  [
    'h2ping',
    { h2ping: '127.0.0.1:9', h2ping_use_tls: false, tls_skip_verify: true, ...TIMED },
    { H2PING: '127.0.0.1:9', H2PingUseTLS: false, TLSSkipVerify: true, ...TIMED },
  ],
  ['tcp', { TCP: '127.0.0.1:9', TCPUseTLS: true, ...TIMED }, { TCP: '127.0.0.1:9', TCPUseTLS: true, ...TIMED }],
  ['os_service', { OSService: 'ssh.service', ...TIMED }, { OSService: 'ssh.service', ...TIMED }],
  ['alias', { AliasService: 'web', AliasNode: '' }, { AliasService: 'web' }],
  ['alias', { alias_service: 'web', alias_node: 'n2' }, { AliasService: 'web', AliasNode: 'n2' }],
])('a check of type %s is registered by %j, and shown', async (type, body, definition) => {
  const answer = await api.ask('PUT', '/v1/agent/check/register', { body: { Name: 'c', ...body } });
  expect(answer).toMatchObject({ status: 200, text: '' });
  const shown = { Type: type, Definition: definition, ServiceID: '', Status: 'critical' };
  expect((await api.ask('GET', '/v1/agent/checks')).json).toEqual({ c: expect.objectContaining(shown) });
  const [, registered] = (await api.ask('GET', `/v1/health/node/${api.node.record.name}`)).json as unknown[];
  expect(registered).toMatchObject(shown);
});

test('a service brings checks of several kinds', async () => {
  const Checks = [{ GRPC: '127.0.0.1:9/web', ...TIMED }, { UDP: '127.0.0.1:9', ...TIMED }, { AliasService: 'db' }];
  const answer = await api.ask('PUT', '/v1/agent/service/register', { body: { Name: 'web', Checks } });
  expect(answer.status).toBe(200);
  const shown = (await api.ask('GET', '/v1/health/checks/web')).json as { CheckID: string; Type: string }[];
  expect(shown.map(({ CheckID, Type }) => `${CheckID} ${Type}`)).toEqual([
    'service:web:1 grpc',
    'service:web:2 udp',
    'service:web:3 alias',
  ]);
});
