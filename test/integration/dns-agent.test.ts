import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { Agent } from '../../src/agent/agent.ts';
import { loadConfig } from '../../src/agent/config/load-config.ts';
import { testLog } from '../../src/agent/testing.ts';
import { requireComponent } from '../require-component.ts';
import { dig, folder, startBind } from './dns-fixture.ts';
import type { At } from './dns-fixture.ts';

let left = new AsyncDisposableStack();
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

interface Running {
  readonly agent: Agent;
  readonly dns: At;
  readonly send: (method: string, path: string, body?: unknown) => Promise<Response>;
  readonly configure: (config: object) => Promise<void>;
}

const web = (count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({
    name: 'web',
    id: `web-${index}`,
    address: `127.56.1.${index + 1}`,
    port: 8_000 + index,
    tags: [index % 2 === 0 ? 'even' : 'odd'],
  }));

async function startAgent(config: object): Promise<Running> {
  const directory = await folder(left);
  const file = path.join(directory, 'agent.json');
  const configure = (next: object): Promise<void> => writeFile(file, JSON.stringify(next));
  await configure(config);
  const flags = { configFile: [file], dataDir: path.join(directory, 'data'), store: 'memory:', client: '127.56.0.1' };
  const readConfig = () => loadConfig({ server: true, httpPort: 0, dnsPort: 0, timing: 'local', node: 'a', ...flags });
  const agent = left.use(await Agent.start({ config: await readConfig(), version: '0', log: testLog(), readConfig }));
  const [address = '', port = ''] = (agent.dnsAddress ?? '').split(':');
  const send = (method: string, where: string, body?: unknown): Promise<Response> =>
    fetch(`${agent.httpAddress}${where}`, { method, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  return { agent, dns: { address, port: Number(port) }, send, configure };
}

requireComponent('dig')('an agent asked by dig', () => {
  test('answers prepared queries by name, by id and as RFC 2782 has it, with their TTL and tags', async () => {
    const { dns, send } = await startAgent({ services: web(6) });
    const made = await send('POST', '/v1/query', {
      Name: 'geo.web',
      Service: { Service: 'web', Tags: ['even'] },
      DNS: { TTL: '15s' },
    });
    const { ID: id } = (await made.json()) as { ID: string };
    const even = ['01', '03', '05'].map((host, index) => ({ host: `7f3801${host}`, port: 8_000 + 2 * index }));
    for (const name of ['geo.web.query.consul', 'geo.web.query.dc1.consul', `${id}.query.consul`]) {
      const srv = await dig(dns, '+noedns', name, 'SRV');
      expect(srv).toMatchObject({ status: 'NOERROR', flags: 'qr aa rd', counts: [3, 0, 3] });
      expect(srv.answer.toSorted()).toEqual(
        even.map(({ host, port }) => `${name}. 15 IN SRV 1 1 ${port} ${host}.addr.dc1.consul.`),
      );
    }
    await send('POST', '/v1/query', { Name: 'all', Service: { Service: 'web' } });
    expect((await dig(dns, '_all._tcp.query.consul', 'SRV')).answer).toHaveLength(6);
    expect((await dig(dns, '+noedns', '+ignore', 'all.query.consul', 'A')).counts).toEqual([3, 0, 0]);
    expect((await dig(dns, '+subnet=127.56.1.0/24', 'all.query.consul', 'A')).counts).toEqual([6, 0, 1]);
    expect((await dig(dns, 'other.query.consul', 'A')).status).toBe('NXDOMAIN');
    await send('DELETE', `/v1/query/${id}`);
    expect((await dig(dns, 'geo.web.query.consul', 'A')).status).toBe('NXDOMAIN');
  });

  test('takes a registration to its answers and to its receipt also after a reload', async () => {
    const { dns, send, configure } = await startAgent({ services: web(1) });
    await configure({ services: web(1), dns_config: { node_ttl: '3s' } });
    await send('PUT', '/v1/agent/reload');
    expect((await dig(dns, 'a.node.consul', 'A')).answer[0]).toMatch(/^a\.node\.consul\. 3 IN A/);
    const registered = await send('PUT', '/v1/agent/service/register', { Name: 'late', Port: 1 });
    expect(registered.status).toBe(200);
    expect((await dig(dns, 'late.service.consul', 'SRV')).answer).toHaveLength(1);
    const revision = registered.headers.get('x-drover-revision');
    const trace = (await (await send('GET', `/v2/trace/${revision}`)).json()) as { consumers: object[] };
    expect(trace.consumers).toContainEqual(expect.objectContaining({ node: 'a', kind: 'dns', state: 'arrived' }));
  });

  test('tells nothing that its token for DNS may not read', async () => {
    const root = '11111111-2222-4333-8444-555555555555';
    const { dns, send } = await startAgent({
      services: web(1),
      acl: { enabled: true, default_policy: 'deny', tokens: { initial_management: root, agent: root, default: root } },
    });
    expect((await dig(dns, 'web.service.consul', 'A')).answer).toHaveLength(1);
    const rules = 'node_prefix "" { policy = "read" } service "api" { policy = "read" }';
    await send('PUT', '/v1/acl/policy', { Name: 'dns', Rules: rules });
    const made = await send('PUT', '/v1/acl/token', { Policies: [{ Name: 'dns' }] });
    const { SecretID: secret } = (await made.json()) as { SecretID: string };
    await send('PUT', '/v1/agent/token/dns', { Token: secret });
    expect((await dig(dns, 'web.service.consul', 'A')).status).toBe('NXDOMAIN');
    expect((await dig(dns, 'a.node.consul', 'A')).answer).toHaveLength(1);
    await send('PUT', '/v1/acl/policy/' + (await policyId(send)), { Name: 'dns', Rules: rules.replace('api', 'web') });
    expect((await dig(dns, 'web.service.consul', 'A')).answer).toHaveLength(1);
  });
});

requireComponent('named')('an agent with BIND as recursor', () => {
  test('takes up domain, alt_domain, dns_config and recursors with a reload, while it answers', async () => {
    const { dns, send, configure } = await startAgent({ services: web(6) });
    const bind = await startBind(
      left,
      { options: 'recursion no;', zones: 'zone "example.test" { type primary; file "zone"; };' },
      { zone: '$TTL 60\n@ IN SOA ns h 1 2 3 4 5\n@ IN NS ns\nns IN A 127.0.0.1\nwww IN A 192.0.2.1\n' },
    );
    expect((await dig(dns, 'www.example.test', 'A')).status).toBe('REFUSED');
    await configure({
      services: web(6),
      alt_domain: 'corp.example',
      recursors: [`${bind.address}:${bind.port}`],
      dns_config: { service_ttl: { 'w*': '7s' }, a_record_limit: 2, soa: { min_ttl: 9 }, recursor_timeout: '1s' },
    });
    expect((await send('PUT', '/v1/agent/reload')).status).toBe(200);
    expect((await dig(dns, 'www.example.test', 'A')).answer).toEqual(['www.example.test. 60 IN A 192.0.2.1']);
    expect((await dig(dns, 'web.service.corp.example', 'A')).answer).toEqual([
      expect.stringMatching(/^web\.service\.corp\.example\. 7 IN A 127\.56\.1\.\d$/),
      expect.stringMatching(/^web\.service\.corp\.example\. 7 IN A 127\.56\.1\.\d$/),
    ]);
    expect((await dig(dns, 'nope.service.consul', 'A')).authority[0]).toMatch(/^consul\. 9 IN SOA .* 9$/);
    await configure({ services: web(6), domain: 'corp.example' });
    await send('PUT', '/v1/agent/reload');
    expect((await dig(dns, 'web.service.corp.example', 'A')).answer).toHaveLength(6);
    expect((await dig(dns, 'web.service.consul', 'A')).status).toBe('REFUSED');
  });
});

async function policyId(send: Running['send']): Promise<string> {
  return ((await (await send('GET', '/v1/acl/policy/name/dns')).json()) as { ID: string }).ID;
}
