import { existsSync } from 'node:fs';
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent, type ConsulAgentOptions } from './consul-agent.ts';
import { Wire } from './consul-wire.ts';
import { freePort, Launcher } from './launcher-process.ts';

/** Configuration files and flags: consul-http-api 14. The process around them is in launcher-agents. */

type Row = Record<string, unknown>;
interface Self {
  readonly Config: Row;
  readonly DebugConfig: Row;
  readonly Member: Row;
  readonly Meta: Row;
}

let running = new AsyncDisposableStack();
afterEach(async () => {
  await running.disposeAsync();
  running = new AsyncDisposableStack();
});

/** An agent, and a client of it, until the test ends. */
async function start(
  options: ConsulAgentOptions,
): Promise<{ agent: ConsulAgent; wire: Wire; self: () => Promise<Self> }> {
  const agent = running.use(await ConsulAgent.start({ asConsul: true, ...options }));
  const wire = running.use(new Wire(agent.url));
  return { agent, wire, self: () => wire.json<Self>('GET agent/self') };
}

/** What the Go harness of Consul's SDK writes (sdk/testutil), with ports that nobody else has. */
const HARNESS = {
  node_name: 'node-a',
  node_id: '11111111-2222-4333-8444-555555555555',
  node_meta: { rack: 'r1' },
  performance: { raft_multiplier: 1 },
  bootstrap: true,
  server: true,
  retry_join: [],
  datacenter: 'harness',
  segments: null,
  disable_update_check: true,
  log_level: 'debug',
  bind_addr: '127.0.0.1',
  addresses: {},
  ports: {
    dns: -1,
    https: -1,
    serf_lan: -1,
    serf_wan: -1,
    server: 8300,
    grpc: -1,
    grpc_tls: -1,
    proxy_min_port: 21_000,
  },
  raft_protocol: 3,
  acl_datacenter: '',
  primary_datacenter: 'harness',
  acl_default_policy: 'allow',
  acl: {
    enabled: true,
    enable_token_replication: false,
    policy_ttl: '30s',
    token_ttl: '30s',
    down_policy: 'extend-cache',
    default_policy: 'allow',
    enable_key_list_policy: false,
    tokens: { replication: '', default: '', agent: '', master: 'harness-root', agent_master: '' },
    disabled_ttl: '30s',
  },
  encrypt: 'pUqJrVyVRj5jsiYEkM/tFQYfWyJIv4s3XkvDwy7Cu5s=',
  ca_file: '',
  cert_file: '',
  key_file: '',
  verify_incoming: false,
  verify_incoming_rpc: false,
  verify_incoming_https: false,
  verify_outgoing: false,
  enable_script_checks: true,
  connect: { enabled: true, ca_config: { cluster_id: '11111111-2222-3333-4444-555555555555' } },
  enable_debug: true,
  skip_leave_on_interrupt: true,
  peering: { enabled: true },
};

describe('harnesses', () => {
  test("http 14: the configuration of Consul's Go harness is accepted", async () => {
    const { self } = await start({ flags: [], configuration: HARNESS });
    expect(await self()).toMatchObject({
      Config: { NodeName: 'node-a', NodeID: HARNESS.node_id, Datacenter: 'harness', Server: true },
      DebugConfig: { ACLsEnabled: true, ConnectEnabled: false },
      Meta: { rack: 'r1' },
    });
  });

  test('http 14: listens within 2 s and ends within 10 s of SIGINT, with 0', async () => {
    await using launcher = await Launcher.open();
    const port = await freePort();
    await launcher.write({ 'agent.json': { node_name: 'quick', ports: { http: port, dns: -1 } } });
    const process_ = launcher.start(['agent', '-dev', '-config-file', launcher.at('agent.json')]);
    const fromMs = performance.now();
    await until(() =>
      fetch(`http://127.0.0.1:${port}/v1/status/leader`).then(
        ({ ok }) => ok,
        () => false,
      ),
    );
    // Two seconds on an idle machine.
    expect(performance.now() - fromMs).toBeLessThan(10_000);
    process_.child.kill('SIGINT');
    const ended = await process_.ended;
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.tookMs).toBeLessThan(20_000);
  });
});

describe('flags', () => {
  test('http 14: with one dash or two, with = or without, bare booleans', async () => {
    await using launcher = await Launcher.open();
    const pid = launcher.at('agent.pid');
    const id = '99999999-2222-4333-8444-555555555555';
    const flags = `-server -bootstrap --node=flagged -node-id ${id} -datacenter dc-f -bind=127.0.0.1 --client 127.0.0.1
      -advertise=127.0.0.9 -retry-join 127.0.0.1 -retry-join=127.0.0.2 -join 127.0.0.1 -log-level debug -domain=example. -ui
      -enable-script-checks=true -encrypt ${HARNESS.encrypt} -pid-file=${pid}`.split(/\s+/);
    const hcl = ['-hcl', 'node_meta { from = "hcl" }'];
    const { self, wire, agent } = await start({ flags: [...flags, ...hcl], configuration: {} });
    expect(await self()).toMatchObject({
      Config: { NodeName: 'flagged', NodeID: id, Datacenter: 'dc-f', Server: true },
      Member: { Addr: '127.0.0.9' },
      Meta: { from: 'hcl' },
    });
    await wire.ok('PUT agent/check/register', { body: { Name: 'script', Args: ['true'], Interval: '1h' } });
    expect((await readFile(pid, 'utf8')).trim()).toBe(String(agent.pid));
    await agent.end('SIGINT');
    expect(existsSync(pid)).toBe(false);
  });

  test('http 14: -dev pretty-prints and keeps nothing; -bootstrap-expect means nothing', async () => {
    const { agent, wire } = await start({
      flags: ['-dev', '-bootstrap-expect=3'],
      configuration: { node_name: 'dev' },
    });
    expect((await wire.ok('GET status/peers')).text).toBe('[\n    "127.0.0.1:8300"\n]\n');
    await wire.ok('PUT kv/a', { body: 'v' });
    await agent.end();
    await agent.begin();
    expect((await wire.ask('GET kv/a')).status).toBe(404);
  });
});

describe('directories', () => {
  const service = {
    id: 'web-1',
    name: 'web',
    tags: ['a'],
    address: '10.0.0.5',
    port: 80,
    meta: { v: '1' },
    tagged_addresses: { wan: { address: '1.2.3.4', port: 81 } },
    weights: { passing: 5, warning: 2 },
    enable_tag_override: true,
    token: '',
    checks: [
      { id: 'c1', name: 'one', notes: 'n', ttl: '1h', status: 'passing' },
      { http: 'http://127.0.0.1:1', interval: '1h' },
    ],
  };
  const files = {
    '10.json': { datacenter: 'first', node_meta: { a: '1', b: '1' }, service: { name: 'one' } },
    '20.hcl':
      'datacenter = "second"\nnode_meta { b = "2" }\nservice { name = "two" port = 2 }\nservice { name = "three" }\n',
    '30.json': { services: [{ name: 'four' }], check: { name: 'own', ttl: '1h' } },
    '40.txt': 'what is neither is not read',
    '50-service.json': { service },
    '60-camel.json': {
      service: { Name: 'camel', Port: 3, Meta: { v: '1' }, Check: { TTL: '1h', Status: 'passing' } },
    },
    '70-script.json':
      '{"service":{"name":"elasticsearch","port":9200,"check":{"script":"echo of 2015","interval":"10s"}}}',
    '80-checks.json': {
      checks: [
        { id: 'node-ttl', name: 'Node', ttl: '1h', status: 'warning', notes: 'why' },
        { id: 'web-tcp', name: 'TCP', service_id: 'web-1', tcp: '127.0.0.1:1', interval: '1h', timeout: '1s' },
        { id: 'gone', name: 'Gone', ttl: '1h', service_id: 'web-1', deregister_critical_service_after: '10m' },
        { name: 'with args', args: ['true'], interval: '1h' },
      ],
    },
  };
  let launcher: Launcher;
  let agent: ConsulAgent;
  let wire: Wire;
  beforeAll(async () => {
    launcher = await Launcher.open();
    await launcher.write(Object.fromEntries(Object.entries(files).map(([name, file]) => [`conf.d/${name}`, file])));
    const flags = ['-dev', '-config-dir', launcher.at('conf.d')];
    agent = await ConsulAgent.start({ asConsul: true, flags, configuration: {} });
    wire = new Wire(agent.url);
  });
  afterAll(async () => {
    wire?.[Symbol.dispose]();
    await agent?.[Symbol.asyncDispose]();
    await launcher?.[Symbol.asyncDispose]();
  });

  test('http 14: every *.json and *.hcl in lexical order: the last scalar wins, lists and definitions add up', async () => {
    const { Config, Meta } = await wire.json<Self>('GET agent/self');
    expect(Config.Datacenter).toBe('second');
    expect(Meta).toMatchObject({ a: '1', b: '2' });
    const services = await wire.json<object>('GET agent/services');
    expect(Object.keys(services).toSorted()).toEqual(
      ['camel', 'elasticsearch', 'four', 'one', 'three', 'two', 'web-1'].toSorted(),
    );
    expect(await wire.json('GET agent/checks')).toMatchObject({ own: { Name: 'own', Type: 'ttl' } });
  });

  test('http 14: a service with everything', async () => {
    expect(await wire.json('GET agent/service/web-1')).toMatchObject({
      Service: 'web',
      Tags: ['a'],
      Address: '10.0.0.5',
      Port: 80,
      Meta: { v: '1' },
      TaggedAddresses: { wan: { Address: '1.2.3.4', Port: 81 } },
      Weights: { Passing: 5, Warning: 2 },
      EnableTagOverride: true,
    });
    expect(await wire.json('GET agent/checks')).toMatchObject({
      c1: { Name: 'one', Notes: 'n', Status: 'passing', ServiceID: 'web-1' },
      'service:web-1:2': { Type: 'http', ServiceName: 'web' },
    });
  });

  test('http 14: keys in CamelCase', async () => {
    expect(await wire.json('GET agent/service/camel')).toMatchObject({ Port: 3, Meta: { v: '1' } });
    expect(await wire.json('GET agent/checks')).toMatchObject({ 'service:camel': { Status: 'passing' } });
  });

  test('http 14: a file of 2015 with a script loads unchanged, and the script runs', async () => {
    await until(async () => {
      const checks = await wire.json<Record<string, Row>>('GET agent/checks');
      return checks['service:elasticsearch']?.Output === 'of 2015\n';
    });
  });

  test('http 14: checks at the top, of the node and of a service', async () => {
    expect(await wire.json('GET agent/checks')).toMatchObject({
      'node-ttl': { ServiceID: '', Status: 'warning', Notes: 'why' },
      'web-tcp': { ServiceID: 'web-1', Type: 'tcp' },
      gone: { ServiceName: 'web' },
      'with args': { Type: 'script' },
    });
  });

  test('http 14: SIGHUP takes up what changed', async () => {
    const changed = {
      '10.json': { ...files['10.json'], service: { name: 'one', port: 9 } },
      '90.json': { service: { name: 'db' } },
    };
    await launcher.write(Object.fromEntries(Object.entries(changed).map(([name, file]) => [`conf.d/${name}`, file])));
    process.kill(agent.pid ?? 0, 'SIGHUP');
    await until(async () => {
      const services = await wire.json<Record<string, Row>>('GET agent/services');
      return services.one?.Port === 9 && services.db !== undefined;
    });
  });

  test('http 14: what is unknown or wrong is said with its place', async () => {
    const run = async (content: object): Promise<string> => {
      await launcher.write({ 'bad.json': content });
      const { code, stderr } = await launcher.run(['agent', '-dev', '-config-file', launcher.at('bad.json')]);
      expect(code).toBe(2);
      return stderr;
    };
    expect(await run({ node_nam: 'x' })).toMatch(/bad\.json:1:\d+.*node_nam.*did you mean.*node_name/s);
    expect(await run({ ports: { http: 'many' } })).toMatch(/bad\.json:1:\d+.*ports\.http/s);
  });
});

describe('other keys', () => {
  /** What is understood, and what does not apply and is taken all the same. */
  const configuration = {
    node_name: 'n1',
    http_config: { response_headers: { 'X-Own': 'yes' }, block_endpoints: ['/v1/agent/host', '/v1/acl'] },
    limits: { kv_max_value_size: 100, http_max_conns_per_client: 200 },
    session_ttl_min: '1s',
    telemetry: { prometheus_retention_time: '1m', disable_hostname: true },
    client_addr: '127.0.0.1',
    advertise_addr: '127.0.0.1',
    bootstrap_expect: 1,
    start_join: ['127.0.0.1'],
    retry_join: ['127.0.0.1'],
    recursors: [],
    domain: 'consul.',
    alt_domain: 'alt.',
    dns_config: { node_ttl: '1s' },
    ui: false,
    ui_config: { enabled: false },
    enable_local_script_checks: true,
    disable_remote_exec: true,
    leave_on_terminate: false,
    rejoin_after_leave: true,
    translate_wan_addrs: false,
    check_update_interval: '5m',
    discovery_max_stale: '5s',
    encrypt: HARNESS.encrypt,
  };
  let launcher: Launcher;
  let agent: ConsulAgent;
  let wire: Wire;
  beforeAll(async () => {
    launcher = await Launcher.open();
    const script = launcher.at('handle.sh');
    await writeFile(script, `#!/bin/sh\necho "$CONSUL_INDEX $(cat | tr -d '\\n ')" >> ${launcher.at('log')}\n`);
    await chmod(script, 0o755);
    const watches = [
      { type: 'key', key: 'watched', handler_type: 'script', args: [script] },
      { type: 'keyprefix', prefix: 'none/', handler: script },
    ];
    agent = await ConsulAgent.start({ asConsul: true, flags: ['-dev'], configuration: { ...configuration, watches } });
    wire = new Wire(agent.url);
  });
  afterAll(async () => {
    wire?.[Symbol.dispose]();
    await agent?.[Symbol.asyncDispose]();
    await launcher?.[Symbol.asyncDispose]();
  });

  test('http 14: http_config.response_headers are in every answer', async () => {
    expect((await wire.ok('GET status/leader')).headers['x-own']).toBe('yes');
    expect((await wire.ask('GET kv/none')).headers['x-own']).toBe('yes');
  });

  test('http 14: http_config.block_endpoints are 403', async () => {
    for (const call of ['GET agent/host', 'GET acl/tokens'])
      expect(await wire.ask(call)).toMatchObject({
        status: 403,
        text: 'Endpoint is blocked by agent configuration',
      });
  });

  test('http 14: limits.kv_max_value_size bounds a value', async () => {
    expect((await wire.ask('PUT kv/a', { body: 'x'.repeat(101) })).status).toBe(413);
    await wire.ok('PUT kv/a', { body: 'x'.repeat(100) });
  });

  test('http 14: session_ttl_min lowers the least TTL', async () => {
    await wire.ok('PUT session/create', { body: { TTL: '1s' } });
    expect(await wire.ask('PUT session/create', { body: { TTL: '999ms' } })).toMatchObject({
      status: 500,
      text: expect.stringMatching(/^Invalid Session TTL/),
    });
  });

  test('http 14: telemetry.prometheus_retention_time opens the format of Prometheus', async () => {
    expect((await wire.ok('GET agent/metrics?format=prometheus')).text).toMatch(/^# (?:HELP|TYPE) consul_/m);
  });

  test('http 14: CONSUL_HTTP_ADDR says where the command line finds the agent', async () => {
    for (const CONSUL_HTTP_ADDR of [agent.url, `127.0.0.1:${agent.port}`]) {
      const put = await launcher.run(['kv', 'put', 'by-command', 'v'], { CONSUL_HTTP_ADDR });
      expect(put).toMatchObject({ code: 0, stdout: 'Success! Data written to: by-command\n' });
    }
    const watch = launcher.start(['watch', '-type=key', '-key=by-command', 'cat'], { CONSUL_HTTP_ADDR: agent.url });
    await until(() => watch.stdout.includes('"Key":"by-command"'));
    watch.child.kill('SIGINT');
    await watch.ended;
  });

  test('http 14: a handler of watches gets the JSON on stdin and CONSUL_INDEX, on change only', async () => {
    const log = launcher.at('log');
    const lines = async (): Promise<string[]> => {
      const text = existsSync(log) ? await readFile(log, 'utf8') : '';
      return text.split('\n').filter((line) => line.includes('watched'));
    };
    await wire.ok('PUT kv/watched', { body: 'one' });
    await until(async () => (await lines()).some((line) => line.includes('b25l')));
    await wire.ok('PUT kv/unrelated', { body: 'x' });
    await wire.ok('PUT kv/watched', { body: 'two' });
    await until(async () => (await lines()).some((line) => line.includes('dHdv')));
    expect(await lines()).toEqual([
      expect.stringMatching(/^\d+ \{"LockIndex":0,"Key":"watched",.*"b25l"/),
      expect.stringMatching(/^\d+ \{"LockIndex":0,"Key":"watched",.*"dHdv"/),
    ]);
  });
});
