import { execFile } from 'node:child_process';
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { freePort, Launcher } from './launcher-process.ts';

const run = promisify(execFile);
const STOP_MS = 10_000;

let launcher: Launcher;
beforeEach(async () => {
  launcher = await Launcher.open();
});
afterEach(() => launcher[Symbol.asyncDispose]());

const get = async (url: string): Promise<unknown> => (await fetch(url)).json();
const put = (url: string, body?: unknown): Promise<Response> =>
  fetch(url, { method: 'PUT', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });

/** `address:port` of every socket that a process listens on or, over UDP, has bound; in /proc's own form. */
async function boundBy(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`);
  const links = await Promise.all(names.map((name) => readlink(`/proc/${pid}/fd/${name}`).catch(() => '')));
  const inodes = new Set(links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []));
  const tables = await Promise.all(['tcp', 'tcp6', 'udp', 'udp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  return tables.flatMap((table, at) =>
    table
      .trim()
      .split('\n')
      .slice(1)
      .map((row) => row.trim().split(/\s+/))
      .filter((row) => inodes.has(row[9] ?? '') && (at > 1 || row[3] === '0A'))
      .map((row) => String(Number.parseInt(row[1]?.split(':').at(-1) ?? '', 16))),
  );
}

describe('consul agent', () => {
  test('consul agent -dev answers, with node, serfHealth and the service consul, and ends at SIGINT with 0', async () => {
    const port = await freePort();
    const agent = launcher.start([
      'agent',
      '-dev',
      '-node=n1',
      `-http-port=${port}`,
      '-dns-port=-1',
      '-pid-file',
      'pid',
    ]);
    const base = `http://127.0.0.1:${port}/v1`;
    const leader = await agent.answers(`${base}/status/leader`);
    expect([leader.status, await leader.json()]).toEqual([200, '127.0.0.1:8300']);
    const [nodes, services, health] = await Promise.all(
      ['catalog/nodes', 'catalog/services', 'health/state/any'].map((one) => get(`${base}/${one}`)),
    );
    expect(nodes).toMatchObject([{ Node: 'n1', TaggedAddresses: { lan: '127.0.0.1', wan: '127.0.0.1' } }]);
    expect(services).toEqual({ consul: [] });
    expect(health).toMatchObject([{ CheckID: 'serfHealth', Status: 'passing' }]);
    expect(await (await fetch(`${base}/catalog/nodes`)).text()).toContain('\n    ');
    expect(await readFile(launcher.at('pid'), 'utf8')).toBe(String(agent.child.pid));
    const ended = await agent.end('SIGINT');
    expect([ended.code, ended.signal]).toEqual([0, null]);
    expect(ended.tookMs).toBeLessThan(STOP_MS);
    await expect(stat(launcher.at('pid'))).rejects.toThrow('ENOENT');
  });

  test('consul agent binds no port that it was not given', async () => {
    const [http, dns] = [await freePort(), await freePort(['127.8.0.1'])];
    const off = ['-serf-lan-port=-1', '-serf-wan-port=-1', '-server-port=-1', '-grpc-port=-1', '-https-port=-1'];
    const agent = launcher.start(['agent', '-dev', `-http-port=${http}`, '-dns-port=-1', ...off]);
    await agent.answers(`http://127.0.0.1:${http}/v1/status/leader`);
    expect(await boundBy(agent.child.pid as number)).toEqual([String(http)]);
    const both = launcher.start(['agent', '-dev', '-client=127.8.0.1', '-http-port=-1', `-dns-port=${dns}`]);
    await expect.poll(() => both.stderr, { timeout: 30_000 }).toContain('"ready"');
    expect(await boundBy(both.child.pid as number)).toEqual([String(dns), String(dns)]);
  });

  test('three consul agents run at once on three addresses and one port', async () => {
    const addresses = ['127.18.0.1', '127.18.0.2', '127.18.0.3'];
    const port = await freePort(addresses);
    const agents = addresses.map((address, at) =>
      launcher.start(
        ['agent', '-server', '-bootstrap-expect=1', `-bind=${address}`, `-client=${address}`, `-node=n${at}`].concat([
          `-http-port=${port}`,
          '-dns-port=-1',
          `-data-dir=${launcher.at(`data${at}`)}`,
        ]),
      ),
    );
    for (const [at, address] of addresses.entries()) {
      const base = `http://${address}:${port}/v1`;
      await agents[at]?.answers(`${base}/status/leader`);
      expect(await get(`${base}/status/leader`)).toBe(`${address}:8300`);
      expect(await get(`${base}/catalog/nodes`)).toMatchObject([{ Node: `n${at}`, Address: address }]);
      expect((await put(`${base}/agent/join/${address}`)).status).toBe(200);
    }
    for (const agent of agents) expect((await agent.end('SIGTERM')).code).toBe(0);
  });

  test('a registration is in the catalog within 40 ms', async () => {
    const port = await freePort();
    const agent = launcher.start(['agent', '-dev', `-http-port=${port}`, '-dns-port=-1']);
    const base = `http://127.0.0.1:${port}/v1`;
    await agent.answers(`${base}/status/leader`);
    const tookMs: number[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f']) {
      const begun = performance.now();
      await put(`${base}/agent/service/register`, { Name: name, Check: { TTL: '10s' } });
      expect(await get(`${base}/catalog/service/${name}`)).toMatchObject([{ ServiceName: name }]);
      tookMs.push(performance.now() - begun);
    }
    // On a busy machine single ones take longer.
    expect(Math.min(...tookMs)).toBeLessThan(40);
  });

  test('consul agent reads HCL, JSON and CONSUL_LOCAL_CONFIG, warns of what it has not, and serves over a socket', async () => {
    const port = await freePort();
    await launcher.write({
      'consul.d/10-agent.hcl': `node_name = "from-hcl"
telemetry { statsd_address = "127.0.0.1:8125" }
connect { enabled = true }
service { name = "hcl" port = 1 check { ttl = "1m" } }`,
      'consul.d/20-elasticsearch.json': {
        service: { name: 'elasticsearch', port: 9200, check: { script: 'true', interval: '10s' } },
      },
      'consul.d/notes.txt': 'not read',
    });
    const local = {
      node_meta: { from: 'environment' },
      addresses: { http: `unix://${launcher.at('http.sock')} 127.0.0.1` },
      http_config: { response_headers: { 'X-Ours': 'yes' }, block_endpoints: ['/v1/acl/'] },
      limits: { kv_max_value_size: 10 },
    };
    const agent = launcher.start(
      ['agent', '-server', '-config-dir', 'consul.d', '-data-dir=data', `-http-port=${port}`, '-dns-port=-1'],
      { CONSUL_LOCAL_CONFIG: JSON.stringify(local) },
    );
    const base = `http://127.0.0.1:${port}/v1`;
    await agent.answers(`${base}/status/leader`);
    expect(Object.keys((await get(`${base}/agent/services`)) as object).toSorted()).toEqual(['elasticsearch', 'hcl']);
    expect(Object.keys((await get(`${base}/agent/checks`)) as object)).toContain('service:elasticsearch');
    expect(await get(`${base}/agent/self`)).toMatchObject({
      Config: { NodeName: 'from-hcl' },
      Meta: { from: 'environment' },
    });
    expect(agent.stderr).toMatch(/10-agent\.hcl: these keys of Consul mean nothing here: connect"/);
    const blocked = await fetch(`${base}/acl/tokens`);
    expect([blocked.status, await blocked.text()]).toEqual([403, 'Endpoint is blocked by agent configuration']);
    expect(blocked.headers.get('x-ours')).toBe('yes');
    expect((await fetch(`http://127.0.0.1:${port}/`)).headers.get('x-ours')).toBe('yes');
    const large = await fetch(`${base}/kv/a`, { method: 'PUT', body: 'x'.repeat(11) });
    expect([large.status, await large.text()]).toEqual([413, expect.stringContaining('max size: 10 bytes')]);
    expect((await stat(launcher.at('http.sock'))).mode & 0o777).toBe(0o600);
    await agent.end('SIGKILL');
    // What the killed one left, its socket too, is no obstacle.
    const again = launcher.start(
      ['agent', '-server', '-config-dir', 'consul.d', '-data-dir=data', `-http-port=${port}`, '-dns-port=-1'],
      { CONSUL_LOCAL_CONFIG: JSON.stringify(local) },
    );
    await again.answers(`${base}/status/leader`);
    expect((await again.end('SIGTERM')).code).toBe(0);
    await expect(stat(launcher.at('http.sock'))).rejects.toThrow('ENOENT');
  });

  requireComponent('curl')('with curl', () => {
    test('consul agent answers over a Unix socket alone', async () => {
      const socket = launcher.at('only.sock');
      const agent = launcher.start([
        'agent',
        '-dev',
        '-dns-port=-1',
        '-hcl',
        `addresses { http = "unix://${socket}" }`,
      ]);
      await expect.poll(() => agent.stderr, { timeout: 30_000 }).toContain('"ready"');
      const { stdout } = await run('curl', ['-sS', '--unix-socket', socket, 'http://localhost/v1/status/leader']);
      expect(JSON.parse(stdout)).toBe('127.0.0.1:8300');
      expect(await boundBy(agent.child.pid as number)).toEqual([]);
    });
  });

  test('consul agent has its data again after SIGKILL at any time', async () => {
    const port = await freePort();
    const words = [
      'agent',
      '-server',
      '-bootstrap',
      '-node=n1',
      '-data-dir=data',
      `-http-port=${port}`,
      '-dns-port=-1',
    ];
    const base = `http://127.0.0.1:${port}/v1`;
    for (const delayMs of [0, 120, 240, 360]) {
      const killed = launcher.start(words);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      await killed.end('SIGKILL');
    }
    const first = launcher.start(words);
    await first.answers(`${base}/status/leader`);
    await put(`${base}/agent/service/register`, { Name: 'web', Check: { TTL: '1h' } });
    await fetch(`${base}/kv/a`, { method: 'PUT', body: 'b' });
    await first.end('SIGKILL');
    const second = launcher.start(words);
    await second.answers(`${base}/status/leader`);
    expect(await get(`${base}/catalog/service/web`)).toMatchObject([{ Node: 'n1' }]);
    expect(await (await fetch(`${base}/kv/a?raw`)).text()).toBe('b');
    expect((await second.end('SIGINT')).code).toBe(0);
  });

  test('SIGHUP and consul reload take up files; SIGTERM and SIGINT leave as they are told to', async () => {
    const port = await freePort();
    await launcher.write({ 'a.json': { node_name: 'n1', leave_on_terminate: true } });
    const words = ['agent', '-server', '-config-file=a.json', '-data-dir=data', `-http-port=${port}`, '-dns-port=-1'];
    const base = `http://127.0.0.1:${port}/v1`;
    const consul = { CONSUL_HTTP_ADDR: `127.0.0.1:${port}` };
    const agent = launcher.start(words);
    await agent.answers(`${base}/status/leader`);
    await launcher.write({ 'a.json': { node_name: 'n1', leave_on_terminate: true, service: { name: 'web' } } });
    expect(await launcher.run(['reload'], consul)).toMatchObject({
      code: 0,
      stdout: 'Configuration reload triggered\n',
    });
    expect(Object.keys((await get(`${base}/agent/services`)) as object)).toEqual(['web']);
    await launcher.write({ 'a.json': '{ "node_name": "n1", "servise": {} }' });
    const refused = await put(`${base}/agent/reload`);
    expect([refused.status, await refused.text()]).toEqual([500, expect.stringContaining('did you mean "service"')]);
    const leaves = { leave_on_terminate: true, skip_leave_on_interrupt: false };
    await launcher.write({ 'a.json': { node_name: 'n1', service: { name: 'api' }, ...leaves } });
    agent.child.kill('SIGHUP');
    await expect.poll(async () => Object.keys((await get(`${base}/agent/services`)) as object)).toEqual(['api']);
    const terminated = await agent.end('SIGTERM');
    expect([terminated.code, terminated.stderr]).toEqual([0, expect.stringContaining('"leaving"')]);
    const second = launcher.start(words);
    await second.answers(`${base}/status/leader`);
    const interrupted = await second.end('SIGINT');
    expect([interrupted.code, interrupted.stderr]).toEqual([0, expect.stringContaining('"leaving"')]);
  });

  test('consul agent without a server answers for itself, and has what was registered after a restart', async () => {
    const port = await freePort();
    const words = ['agent', '-retry-join=10.0.0.9', '-node=c1', '-data-dir=data', `-http-port=${port}`, '-dns-port=-1'];
    const base = `http://127.0.0.1:${port}/v1`;
    const agent = launcher.start(words);
    expect(await (await agent.answers(`${base}/status/leader`)).json()).toBe('');
    expect((await put(`${base}/agent/service/register`, { Name: 'web', Check: { TTL: '1h' } })).status).toBe(200);
    expect((await put(`${base}/agent/check/pass/service:web`)).status).toBe(200);
    for (const path of ['catalog/nodes', 'kv/a', 'health/service/web']) {
      const answer = await fetch(`${base}/${path}`);
      expect([answer.status, await answer.text()]).toEqual([500, 'No known Consul servers']);
    }
    const members = await launcher.run(['members'], { CONSUL_HTTP_ADDR: `127.0.0.1:${port}` });
    expect(members.stdout).toMatch(/c1 +127\.0\.0\.1:8301 +alive +client/);
    await agent.end('SIGKILL');
    const again = launcher.start(words);
    await again.answers(`${base}/status/leader`);
    expect(await get(`${base}/agent/services`)).toMatchObject({ web: { Service: 'web' } });
    expect((await again.end('SIGINT')).code).toBe(0);
  });

  test('agent/monitor and metrics/stream send at once, and end with the agent', async () => {
    const port = await freePort();
    const agent = launcher.start(['agent', '-dev', `-http-port=${port}`, '-dns-port=-1']);
    const base = `http://127.0.0.1:${port}/v1`;
    await agent.answers(`${base}/status/leader`);
    const monitor = await fetch(`${base}/agent/monitor?loglevel=debug`);
    const reader = (monitor.body as ReadableStream<Uint8Array>).getReader();
    const text = async (): Promise<string> => Buffer.from((await reader.read()).value ?? []).toString();
    expect(await text()).toContain('[INFO]');
    await fetch(`${base}/catalog/nodes?token=secret-token`);
    let seen = '';
    while (!seen.includes('/v1/catalog/nodes')) seen += await text();
    expect(seen).toContain('[DEBUG]');
    expect(seen).not.toContain('secret-token');
    const stream = await fetch(`${base}/agent/metrics/stream`);
    const metrics = (stream.body as ReadableStream<Uint8Array>).getReader();
    expect(JSON.parse(Buffer.from((await metrics.read()).value ?? []).toString())).toHaveProperty('Gauges');
    expect((await agent.end('SIGINT')).code).toBe(0);
  });

  test('one connection too many of an address is answered with 429', async () => {
    const port = await freePort();
    const hcl = 'limits { http_max_conns_per_client = 2 }';
    const agent = launcher.start(['agent', '-dev', `-http-port=${port}`, '-dns-port=-1', '-hcl', hcl]);
    await agent.answers(`http://127.0.0.1:${port}/v1/status/leader`);
    const index = (await fetch(`http://127.0.0.1:${port}/v1/catalog/nodes`)).headers.get('x-consul-index');
    const abort = new AbortController();
    const blocked = [1, 2].map((wait) =>
      fetch(`http://127.0.0.1:${port}/v1/catalog/nodes?index=${index}&wait=${wait}m`, { signal: abort.signal }),
    );
    for (const one of blocked) one.catch(() => undefined);
    await expect
      .poll(async () => (await fetch(`http://127.0.0.1:${port}/v1/status/leader`)).status, { timeout: 10_000 })
      .toBe(429);
    abort.abort();
  });
});

describe('consul', () => {
  test('consul version begins with the version of Consul that is spoken', async () => {
    const { code, stdout } = await launcher.run(['version']);
    expect([code, stdout.split('\n')[0]]).toEqual([0, 'Consul v1.22.0']);
  });

  test.each([
    [['catalog', 'nodes'], 'drover node:list'],
    [['agent', '-bogus'], 'flag provided but not defined: -bogus'],
    [['agent', '-dev', '-pid-file=/proc/x/pid', '-http-port=-1', '-dns-port=-1'], 'AGENT_PID_FILE'],
  ])('consul %j ends with 2 and says why', async (words, text) => {
    const { code, stderr } = await launcher.run(words);
    expect([code, stderr]).toEqual([2, expect.stringContaining(text)]);
  });
});
