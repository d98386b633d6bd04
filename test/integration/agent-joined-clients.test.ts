import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { LEGACY_CONFIGURATION, ROOT_TOKEN } from './consul-agent.ts';
import { JoinedRegion, Party, until, type JoinedRegionOptions } from './joined-region.ts';
import { runProgram } from './run-program.ts';
import { perTestStack } from '../per-test-stack.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PYTHON = '/usr/bin/python3';
const hasModules = spawnSync(PYTHON, ['-c', 'import consul, hcl']).status === 0;

const left = perTestStack();

async function start(options: Partial<JoinedRegionOptions> = {}): Promise<{ server: Party; a: Party }> {
  const { server, agents } = left.use(await JoinedRegion.start({ agents: ['a'], ...options }));
  return { server, a: agents[0] as Party };
}

const drover = (agent: Party, ...words: readonly string[]): ReturnType<typeof runProgram> =>
  runProgram(path.join(ROOT, 'bin/drover'), words, { env: { DROVER_HTTP_ADDR: agent.process.url } });

describe('what an agent hands on', () => {
  test('passes both ways unchanged: large bodies, any bytes, compression, headers, errors and streams', async () => {
    const { server, a } = await start();
    const large = Buffer.alloc(500_000, 'läßt/');
    expect((await a.ask('PUT', '/v1/kv/large%2Fkey%00?flags=18446744073709551615', large)).text.trim()).toBe('true');
    const raw = await fetch(`${a.process.url}/v1/kv/large%2Fkey%00?raw`);
    expect(Buffer.from(await raw.arrayBuffer()).equals(large)).toBe(true);
    expect((await a.ask('GET', '/v1/kv/large%2Fkey%00')).text).toContain('18446744073709551615');
    expect((await a.ask('PUT', '/v1/kv/too-large', Buffer.alloc(600_000))).status).toBe(413);
    const zipped = await runProgram('curl', ['-s', '--compressed', '-D', '-', `${a.process.url}/v1/kv/large%2Fkey%00`]);
    expect(zipped.stdout).toMatch(/content-encoding: gzip/i);
    const here = await a.ask('GET', '/v1/catalog/nodes');
    const there = await server.ask('GET', '/v1/catalog/nodes');
    expect(here.text).toBe(there.text);
    for (const name of [
      'X-Consul-Index',
      'X-Consul-KnownLeader',
      'X-Consul-LastContact',
      'X-Consul-Default-ACL-Policy',
    ])
      expect([name, here.headers.get(name)]).toEqual([name, there.headers.get(name)]);
    expect(await a.ask('GET', '/v1/nothing')).toMatchObject({ status: 404 });
    expect((await a.ask('POST', '/v1/kv/a')).headers.get('Allow')).toBe(
      (await server.ask('POST', '/v1/kv/a')).headers.get('Allow'),
    );
    expect((await a.ask('PUT', '/v1/kv/from-elsewhere', '1', { Origin: 'http://evil.example' })).status).toBe(403);
  });

  test('streams events as they come, and ends a question with its client', async () => {
    const { a } = await start();
    const abort = new AbortController();
    const response = await fetch(`${a.process.url}/v2/events`, { signal: abort.signal });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    await a.register({ name: 'streamed', port: 1 });
    let seen = '';
    while (!seen.includes('streamed')) seen += (await reader?.read())?.value ?? '';
    expect(response.headers.get('Content-Type')).toContain('text/event-stream');
    abort.abort();
  });

  test('means this agent by what names no node: sessions, ?near=_agent, environments, authors', async () => {
    const { server, a } = await start();
    const { ID } = JSON.parse((await a.ask('PUT', '/v1/session/create')).text) as { readonly ID: string };
    expect(await server.get(`/v1/session/info/${ID}`)).toMatchObject([{ Node: 'a' }]);
    await server.register({ name: 'web', port: 1 });
    await a.register({ name: 'web', port: 2 });
    expect(await a.get('/v1/health/service/web?near=_agent')).toMatchObject([{ Node: { Node: 'a' } }, {}]);
    await a.ask('PUT', '/v1/kv/mine', '1');
    const { stdout, stderr } = await drover(a, 'kv:log', 'mine');
    expect(stdout, stderr).toContain('127.0.0.1 at a');
  });

  test('serves the command line: node:list, kv, service:apply --wait, trace, doctor', async () => {
    const { server, a } = await start();
    expect((await drover(a, 'node:list')).stdout).toMatch(/^a\b[\s\S]*^server\b/m);
    expect((await drover(a, 'kv:put', 'k', 'v')).code).toBe(0);
    expect((await drover(a, 'kv:get', 'k')).stdout.trim()).toBe('v');
    const file = path.join(ROOT, 'examples/seatgeek/data_bags/service');
    const applied = await drover(a, 'service:apply', file, '--wait');
    expect(applied.code, applied.stderr).toBe(0);
    expect((await drover(a, 'trace')).code).toBe(0);
    expect((await drover(a, 'doctor')).stdout).toContain('to server at http://127.0.0.1:');
    await server.process.end('SIGKILL');
    await until(async () => !(await a.isLinked()), 'the cut');
    const cut = await drover(a, 'doctor');
    expect(cut.code).toBe(1);
    expect(cut.stdout).toContain('cut off since');
  });
});

describe('access control at an agent that joined', () => {
  const CLOSED = {
    acl: { enabled: true, default_policy: 'deny', tokens: { initial_management: ROOT_TOKEN, agent: ROOT_TOKEN } },
  };

  test('is its server’s, also while that is away, and closed for who was never seen', async () => {
    const { server, a } = await start({ configuration: CLOSED, token: ROOT_TOKEN });
    await a.register({ name: 'web', port: 80 });
    const rules = 'service_prefix "" { policy = "read" }';
    await a.ask('PUT', '/v1/acl/policy', JSON.stringify({ Name: 'readers', Rules: rules }));
    const made = await a.ask('PUT', '/v1/acl/token', JSON.stringify({ Policies: [{ Name: 'readers' }] }));
    const reader = new Party(a.process, 'a', (JSON.parse(made.text) as { readonly SecretID: string }).SecretID);
    const nobody = new Party(a.process, 'a', undefined);
    const unknown = new Party(a.process, 'a', '00000000-0000-0000-0000-00000000abcd');
    const services = async (who: Party): Promise<string[]> =>
      Object.keys((await who.get('/v1/agent/services')) as object);
    expect(await services(reader)).toEqual(['web']);
    expect(await services(nobody)).toEqual([]);
    expect(await unknown.ask('GET', '/v1/agent/services')).toMatchObject({ status: 403, text: 'ACL not found' });
    expect((await reader.ask('PUT', '/v1/agent/service/deregister/web')).status).toBe(403);
    expect((await reader.ask('GET', '/v1/kv/a')).status).toBe(403);
    await server.process.end('SIGKILL');
    await until(
      async () => ((await a.get('/v2/status')) as { link: { url: string | null } }).link.url === null,
      'the cut',
    );
    expect(await services(reader)).toEqual(['web']);
    expect((await reader.ask('PUT', '/v1/agent/service/deregister/web')).status).toBe(403);
    const stranger = new Party(a.process, 'a', '00000000-0000-0000-0000-00000000beef');
    expect(await services(stranger)).toEqual([]);
    expect((await stranger.ask('PUT', '/v1/agent/service/deregister/web')).status).toBe(403);
  });
});

requireComponent(PYTHON, hasModules ? undefined : 'python3-consul python3-pyhcl')('clients in Python', () => {
  test('python-consul against an agent that joined, over all its groups', { timeout: 120_000 }, async () => {
    const { acl } = LEGACY_CONFIGURATION;
    const configuration = { acl, legacy: true };
    const { a } = await start({ configuration, token: ROOT_TOKEN });
    const script = path.resolve(import.meta.dirname, '../fixtures/consul-clients/python_consul.py');
    const { code, stderr } = await runProgram(PYTHON, [script, a.process.host, String(a.process.port)], {
      env: { CONSUL_ROOT: ROOT_TOKEN, PYTHONWARNINGS: 'ignore' },
    });
    const failed = stderr.match(/^(?:FAIL|ERROR): (\w+)/gm) ?? [];
    // What they say of an agent that is the server itself: it is the only member, and its own leader.
    expect({ code, failed }, stderr).toEqual({ code: 1, failed: ['FAIL: test_self_and_members', 'FAIL: test_status'] });
  });
});
