import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { HTTP_SETTINGS } from '../../api/index.ts';
import { loadConfig } from './load-config.ts';
import { testDirectory } from './testing.ts';

const ROOT = path.resolve(import.meta.dirname, '../../..');

describe('loadConfig() takes', () => {
  test('defaults when nothing is said', async () => {
    const config = await loadConfig({ server: true });
    expect(config).toMatchObject({
      datacenter: 'dc1',
      dataDirectory: '/var/lib/drover',
      store: 'sqlite:/var/lib/drover/store',
      http: { addresses: ['127.0.0.1'], port: 8500 },
      dns: { addresses: ['127.0.0.1'], port: 8600 },
      domain: 'consul.',
      timing: 'lan',
      scripts: { local: true, remote: false },
      warnings: [],
    });
    expect(config.nodes).toHaveLength(1);
    expect(config.nodes[0]).toMatchObject({ name: hostname(), address: '127.0.0.1', balancer: null, provision: null });
  });

  test('JSON, JSON5 and YAML of a directory in lexical order: lists add up, the last scalar wins, maps are merged', async () => {
    await using directory = await testDirectory({
      '10-base.json': { datacenter: 'one', ports: { http: 1 }, runs: ['a', 'b'], service: { name: 'x', port: 1 } },
      '20-more.json5': `{ datacenter: 'two', ports: { dns: 2 }, runs: ['b', 'c'], services: [{ name: 'y' }] }`,
      '30-last.yaml': 'node_name: staging\nservices:\n  - name: z\nnode_meta: { rack: "7" }\n',
      'notes.txt': 'not read',
    });
    const config = await loadConfig({ server: true, configDir: [directory.path] });
    expect(config).toMatchObject({ datacenter: 'two', http: { port: 1 }, dns: { port: 2 } });
    expect(config.nodes[0]).toMatchObject({ name: 'staging', runs: ['a', 'b', 'c'], meta: { rack: '7' } });
    expect(config.nodes[0]?.services.map(({ instance }) => instance.service)).toEqual(['x', 'y', 'z']);
  });

  test('files before directories, and flags over all of them', async () => {
    await using directory = await testDirectory({
      'a.json': { datacenter: 'file', node_name: 'file', ports: { http: 1, dns: 1 }, data_dir: 'state' },
      'conf.d/b.json': { datacenter: 'directory' },
    });
    const files = { configFile: [directory.at('a.json')], configDir: [directory.at('conf.d')] };
    expect(await loadConfig({ ...files, server: true })).toMatchObject({
      datacenter: 'directory',
      dataDirectory: directory.at('state'),
      store: `sqlite:${directory.at('state/store')}`,
    });
    const flags = { datacenter: 'flag', node: 'flag', httpPort: 0, dataDir: directory.at('other'), store: 'memory:' };
    const config = await loadConfig({ ...files, ...flags, server: true });
    expect(config).toMatchObject({ datacenter: 'flag', http: { port: 0 }, dns: { port: 1 }, store: 'memory:' });
    expect(config.nodes[0]?.name).toBe('flag');
  });

  test("the document's check_elasticsearch.json unchanged", async () => {
    const seed = readFileSync(path.join(ROOT, 'test/fixtures/seeds/check_elasticsearch.json'), 'utf8');
    await using directory = await testDirectory({ 'consul.d/check_elasticsearch.json': seed });
    const config = await loadConfig({ dev: true, configDir: [directory.at('consul.d')] });
    expect(config.warnings).toEqual([]);
    const [service] = config.nodes[0]?.services ?? [];
    expect(service?.instance).toMatchObject({ id: 'elasticsearch', service: 'elasticsearch', port: 9200 });
    expect(service?.checks).toEqual([{ script: 'curl -s http://127.0.0.1:9200', intervalMs: 10_000 }]);
  });

  test("the example's three nodes", async () => {
    const config = await loadConfig({ configFile: [path.join(ROOT, 'examples/seatgeek/agent.json5')] });
    expect(config.datacenter).toBe('aws');
    expect(config.nodes.map(({ name, address }) => [name, address])).toEqual([
      ['staging', '127.0.0.1'],
      ['api-1', '127.0.0.2'],
      ['api-2', '127.0.0.3'],
    ]);
    const services = config.nodes.map((node) => node.services.map(({ instance }) => instance.service).toSorted());
    expect(services).toEqual([['app-www', 'elasticsearch'], ['api'], ['api']]);
    expect(config.nodes[0]?.balancer).toMatchObject({ address: '127.0.0.1' });
    expect(config.nodes[0]?.provision?.cwd).toBe(path.join(ROOT, 'examples/seatgeek'));
  });

  test("services in Consul's CamelCase", async () => {
    await using directory = await testDirectory({
      'a.json': {
        service: {
          ID: 'web-1',
          Name: 'web',
          Port: 80,
          Meta: { version: '1' },
          Weights: { Passing: 3 },
          EnableTagOverride: true,
          TaggedAddresses: { wan: { Address: '198.51.100.1', Port: 81 } },
          Check: { HTTP: 'http://127.0.0.1', Interval: '10s', TLSSkipVerify: true },
        },
      },
    });
    const config = await loadConfig({ dev: true, configFile: [directory.at('a.json')] });
    const [service] = config.nodes[0]?.services ?? [];
    expect(service?.instance).toMatchObject({
      id: 'web-1',
      service: 'web',
      weights: { passing: 3, warning: 1 },
      enableTagOverride: true,
      taggedAddresses: { wan: { address: '198.51.100.1', port: 81 } },
    });
    expect(service?.checks).toEqual([{ http: 'http://127.0.0.1', intervalMs: 10_000, tlsSkipVerify: true }]);
  });

  test("what Consul's own test agents are configured with", async () => {
    await using directory = await testDirectory({
      'a.json': {
        node_name: 'node-1',
        node_id: '5ca6a3a0-0f5c-4e1c-8a3c-9e5b9e1f3c11',
        performance: { raft_multiplier: 1 },
        bootstrap: true,
        server: true,
        retry_join: ['127.0.0.1'],
        data_dir: 'data',
        segments: null,
        disable_update_check: true,
        log_level: 'WARN',
        bind_addr: '127.0.0.1',
        addresses: { http: '127.0.0.1', grpc: '127.0.0.1' },
        ports: { dns: 1053, http: 1080, https: -1, serf_lan: 1, serf_wan: 2, server: 3, grpc: 4, grpc_tls: 5 },
        acl: { enabled: false },
        connect: { enabled: true },
        peering: { enabled: true },
        skip_leave_on_interrupt: true,
      },
    });
    const config = await loadConfig({ configFile: [directory.at('a.json')] });
    expect(config).toMatchObject({ logLevel: 'warn', http: { port: 1080 }, dns: { port: 1053 } });
    expect(config).toMatchObject({ join: ['127.0.0.1'], leaveOnInterrupt: false });
    const [ignored, ...more] = config.warnings;
    expect(more).toEqual([]);
    expect(ignored).toMatch(/a\.json: these keys of Consul mean nothing here: .*ports\.serf_lan/);
    // What asks for nothing, or for what is so anyway, is not worth a word.
    expect(ignored).not.toMatch(/https|performance|bootstrap|segments|disable_update_check/);
  });

  test('HCL as JSON: blocks, repeated blocks and lists', async () => {
    await using directory = await testDirectory({
      'a.hcl': `datacenter = "one"
ports { http = 1 }
ports { dns = 2 }
node_meta { rack = "7" }
service { name = "web" port = 80 tags = ["a", "b"] check { ttl = "1m" } }
service { name = "api" checks { ttl = "1m" } }
retry_join = ["10.0.0.1"]`,
      'b.json': { datacenter: 'two', service: { name: 'db' } },
      'c.hcl': 'services { id = "z" name = "z" }',
    });
    const config = await loadConfig({ dev: true, configDir: [directory.path] });
    expect(config).toMatchObject({ datacenter: 'two', http: { port: 1 }, dns: { port: 2 }, join: ['10.0.0.1'] });
    expect(config.nodes[0]?.meta).toEqual({ rack: '7' });
    expect(config.nodes[0]?.services.map(({ instance }) => instance.id)).toEqual(['web', 'api', 'db', 'z']);
    expect(config.nodes[0]?.services.map(({ checks }) => checks.length)).toEqual([1, 1, 0, 0]);
  });

  test('what stands in no file: over files, in order, and flags over all; its commands need no trusted file', async () => {
    await using directory = await testDirectory({ 'a.json': { datacenter: 'file', log_level: 'warn' } });
    const config = await loadConfig({
      dev: true,
      configFile: [directory.at('a.json')],
      inline: [
        { from: 'CONSUL_LOCAL_CONFIG', text: '{"datacenter":"env","legacy":true}', format: 'json' },
        { from: '-hcl', text: 'check { name = "x" args = ["true"] interval = "1s" }', format: 'hcl' },
      ],
      settings: { datacenter: 'flag', node_meta: { a: 'b' }, pid_file: '/run/x.pid' },
    });
    expect(config).toMatchObject({ datacenter: 'flag', legacy: true, logLevel: 'warn', pidFile: '/run/x.pid' });
    expect(config.nodes[0]?.meta).toEqual({ a: 'b' });
    expect(config.nodes[0]?.checks).toHaveLength(1);
  });

  test('several addresses, and Unix sockets with who may use them', async () => {
    await using directory = await testDirectory({
      'a.json': {
        client_addr: '127.0.0.2 127.0.0.3',
        addresses: { http: 'unix:///run/a.sock localhost' },
        unix_sockets: { mode: '0660', group: '7' },
      },
    });
    const { http, dns } = await loadConfig({ dev: true, configFile: [directory.at('a.json')] });
    expect(dns.addresses).toEqual(['127.0.0.2', '127.0.0.3']);
    expect(http).toMatchObject({
      addresses: ['127.0.0.1'],
      sockets: [{ path: '/run/a.sock', mode: 0o660, owner: `${process.getuid?.()}:7` }],
    });
    expect((await loadConfig({ dev: true, client: '127.0.0.4 ::1' })).http.addresses).toEqual(['127.0.0.4', '::1']);
  });

  test.each([
    [{}, HTTP_SETTINGS],
    [{ http_config: { response_headers: { 'X-A': 'b' } } }, { responseHeaders: { 'X-A': 'b' } }],
    [{ http_config: { block_endpoints: ['/v1/acl/'] } }, { blockEndpoints: ['/v1/acl/'] }],
    [{ http_config: { allow_write_http_from: ['10.0.0.0/8', '::1'] } }, { writeFrom: ['10.0.0.0/8', '::1'] }],
    [{ translate_wan_addrs: true }, { responseHeaders: { 'X-Consul-Translate-Addresses': 'true' } }],
    [{ limits: { kv_max_value_size: 9 } }, { valueBytes: 9, txnBytes: 9 }],
    [{ limits: { txn_max_req_len: 9, http_max_conns_per_client: 3 } }, { txnBytes: 9, connectionsPerClient: 3 }],
    [{ telemetry: { prometheus_retention_time: '30s', statsd_address: 'x' } }, { prometheus: true }],
    [{ telemetry: { prometheus_retention_time: '0s' } }, { prometheus: false }],
    [{ disable_http_unprintable_char_filter: true }, { takesUnprintable: true }],
  ])('what is said of HTTP: %j', async (keys, settings) => {
    await using directory = await testDirectory({ 'a.json': keys });
    const { http } = await loadConfig({ dev: true, configFile: [directory.at('a.json')] });
    expect(http.settings).toEqual({ ...HTTP_SETTINGS, ...settings });
  });

  test.each([
    [{}, { leaveOnTerminate: false, leaveOnInterrupt: false, sessionTtlMinMs: 10_000, pidFile: null, join: [] }],
    [
      { leave_on_terminate: true, skip_leave_on_interrupt: false },
      { leaveOnTerminate: true, leaveOnInterrupt: true },
    ],
    [{ session_ttl_min: '2s' }, { sessionTtlMinMs: 2_000 }],
    [{ retry_join: ['a'], start_join: ['b'] }, { join: ['a', 'b'] }],
    [{ retry_join: ['a:1,b', ' c , '], start_join: ['d'] }, { join: ['a:1', 'b', 'c', 'd'] }],
  ])('what is said of the process: %j', async (keys, expected) => {
    await using directory = await testDirectory({ 'a.json': keys });
    expect(await loadConfig({ dev: true, configFile: [directory.at('a.json')] })).toMatchObject(expected);
  });

  test('a data directory for this run alone where nobody names one', async () => {
    await using directory = await testDirectory({ 'a.json': { data_dir: 'state' } });
    expect((await loadConfig({ dev: true })).temporary).toBe(true);
    expect((await loadConfig({ dev: true, dataDir: directory.at('x') })).temporary).toBe(false);
    expect((await loadConfig({ dev: true, configFile: [directory.at('a.json')] })).temporary).toBe(false);
    expect((await loadConfig({ server: true })).temporary).toBe(false);
  });

  test('an address that everyone reaches, with a warning', async () => {
    const { warnings } = await loadConfig({ dev: true, client: '0.0.0.0' });
    expect(warnings).toEqual([expect.stringContaining('without TLS and access control')]);
  });
});

describe('loadConfig() refuses', () => {
  const node = (name: string, more: object = {}): object => ({ name, ...more });
  const web = { name: 'web', port: 80 };
  const tcp = { tcp: '127.0.0.1:1', interval: '1s' };

  const cases: [what: string, files: Record<string, unknown>, code: string, text: RegExp, place?: string][] = [
    [
      'an unknown key',
      { 'a.json': '{\n  "datacentre": "x" }' },
      'DEFINITION_UNKNOWN_KEY',
      /"datacenter"\?/,
      'a.json:2:3',
    ],
    [
      'an unknown key of a service',
      { 'a.json': '{ "service": {\n "name": "x",\n "prot": 1 } }' },
      'DEFINITION_UNKNOWN_KEY',
      /unknown key "prot": did you mean "port"\?/,
      'a.json:3:2',
    ],
    [
      'an unknown key of a check',
      { 'a.json': '{ "service": { "name": "x", "check": {\n "tcp": "a:1", "intervall": "1s" } } }' },
      'DEFINITION_INVALID',
      /did you mean "interval"\?/,
    ],
    [
      'syntax',
      { 'a.json': '{\n  "server": true\n  "legacy": true\n}' },
      'DEFINITION_SYNTAX',
      /expected ','/,
      'a.json:3:3',
    ],
    ['HCL syntax', { 'a.hcl': 'server = {' }, 'LIB_BAD_HCL', /./, 'a.hcl:1:10'],
    [
      'an unknown key in HCL',
      { 'a.hcl': 'server = true\nservice {\n  name = "x"\n  prot = 1\n}' },
      'DEFINITION_UNKNOWN_KEY',
      /did you mean "port"/,
      'a.hcl:4:3',
    ],
    [
      'an unknown key of http_config',
      { 'a.json': { http_config: { headers: {} } } },
      'DEFINITION_UNKNOWN_KEY',
      /headers/,
    ],
    [
      'a header that cannot be one',
      { 'a.json': { http_config: { response_headers: { X: 'a\r\nb' } } } },
      'DEFINITION_INVALID',
      /expected the value of a header/,
    ],
    [
      'a network that is none',
      { 'a.json': { http_config: { allow_write_http_from: ['10.0.0.0/33'] } } },
      'DEFINITION_INVALID',
      /expected a network/,
    ],
    ['a relative socket', { 'a.json': { addresses: { http: 'unix://x' } } }, 'DEFINITION_INVALID', /unix:\/\/\/path/],
    ['YAML syntax', { 'a.yaml': 'server: [true\n' }, 'DEFINITION_SYNTAX', /./],
    ['JSON5 syntax', { 'a.json5': '{ server: }' }, 'DEFINITION_SYNTAX', /./],
    ['a wrong type', { 'a.json': { server: 'yes' } }, 'DEFINITION_INVALID', /expected true or false/],
    ['a port out of range', { 'a.json': { ports: { http: 65_536 } } }, 'DEFINITION_INVALID', /at most 65535/],
    [
      "a service's port out of range",
      { 'a.json': { service: { ...web, port: 65_536 } } },
      'DEFINITION_INVALID',
      /65535/,
    ],
    ['an address that is none', { 'a.json': { client_addr: 'here' } }, 'DEFINITION_INVALID', /expected an IP address/],
    [
      'a wildcard as address of a service',
      { 'a.json': { service: { ...web, address: '0.0.0.0' } } },
      'API_BAD_REQUEST',
      /Invalid service address/,
      'a.json:1:12',
    ],
    ['a node name that is a path', { 'a.json': { node_name: '..' } }, 'DEFINITION_INVALID', /expected a name/],
    [
      'a check without a kind',
      { 'a.json': { check: { name: 'x', interval: '1s' } } },
      'DEFINITION_INVALID',
      /needs one of/,
    ],
    [
      'a check without interval',
      { 'a.json': { check: { name: 'x', tcp: 'a:1' } } },
      'DEFINITION_INVALID',
      /needs "interval"/,
    ],
    ['a check without name', { 'a.json': { check: tcp } }, 'API_BAD_REQUEST', /Missing check name/, 'a.json:1:10'],
    [
      'a check that cannot be',
      { 'a.json': { check: { name: 'x', tcp: 'here', interval: '1s' } } },
      'HEALTH_INVALID_CHECK',
      /not host:port/,
      'a.json:1:10',
    ],
    [
      'a check of a service that is not there',
      { 'a.json': { check: { name: 'x', service_id: 'web', ...tcp } } },
      'CONFIG_CONFLICT',
      /registers no service "web"/,
    ],
    [
      'two nodes of one name',
      { 'a.json': { nodes: [node('a')] }, 'b.json': { nodes: [node('A')] } },
      'CONFIG_CONFLICT',
      /two nodes are called "A": the other is at .*a\.json:1:19/,
      'b.json:1:19',
    ],
    [
      "a node with the name of the agent's own",
      { 'a.json': { node_name: 'a', nodes: [node('a')] } },
      'CONFIG_CONFLICT',
      /the agent’s own node/,
    ],
    [
      'two services of one id on a node',
      { 'a.json': { service: web }, 'b.json': { services: [{ ...web, port: 81 }] } },
      'CONFIG_CONFLICT',
      /two services of node ".*" are called "web": the other is at .*a\.json:1:12/,
      'b.json:1:14',
    ],
    [
      'two checks of one id on a node',
      { 'a.json': { checks: [{ id: 'x', ...tcp }], service: { ...web, check: { id: 'x', ...tcp } } } },
      'CONFIG_CONFLICT',
      /two checks of node/,
    ],
    [
      'keys of a node beside nodes',
      { 'a.json': { nodes: [node('a')], runs: ['web'] } },
      'CONFIG_CONFLICT',
      /"runs" stands beside "nodes" and belongs to no node/,
      'a.json:1:25',
    ],
    [
      'two nodes with one directory of environment files',
      {
        'a.json': {
          nodes: [node('a', { environment: { directory: 'e' } }), node('b', { environment: { directory: 'e' } })],
        },
      },
      'CONFIG_CONFLICT',
      /nodes "a" and "b" both write/,
    ],
    [
      'scripts where they are switched off',
      {
        'a.json': { enable_local_script_checks: false, service: { ...web, check: { args: ['true'], interval: '1s' } } },
      },
      'HEALTH_SCRIPTS_DISABLED',
      /Scripts are disabled/,
    ],
    [
      "a broken file of a node's config_dir",
      { 'a.json': { nodes: [node('a', { config_dir: 'd' })] }, 'd/b.json': { server: true } },
      'DEFINITION_UNKNOWN_KEY',
      /unknown key "server"/,
    ],
    [
      'a config_dir that is not there',
      { 'a.json': { nodes: [node('a', { config_dir: 'd' })] } },
      'CONFIG_UNREADABLE',
      /cannot read .*d: ENOENT/,
    ],
  ];

  test.each(cases)('%s', async (_what, files, code, text, place) => {
    await using directory = await testDirectory(files);
    const error: unknown = await loadConfig({ server: true, configDir: [directory.path] }).catch((one: unknown) => one);
    expect(error).toMatchObject({ code, message: expect.stringMatching(text) });
    if (place === undefined) return;
    const { file, line, column } = (error as { place: { file: string; line: number; column: number } }).place;
    expect(`${path.basename(file)}:${line}:${column}`).toBe(place);
  });

  test('a file or directory that is not there', async () => {
    await using directory = await testDirectory();
    for (const flags of [{ configFile: [directory.at('no.json')] }, { configDir: [directory.at('no')] }])
      await expect(loadConfig({ dev: true, ...flags })).rejects.toMatchObject({
        code: 'CONFIG_UNREADABLE',
        exitCode: 2,
        hint: expect.stringContaining('may read it'),
      });
  });

  test('a file of another kind', async () => {
    await using directory = await testDirectory({ 'a.toml': '' });
    await expect(loadConfig({ configFile: [directory.at('a.toml')] })).rejects.toMatchObject({
      code: 'DEFINITION_FILE_TYPE',
    });
  });

  test.each([
    [{ httpPort: Number.NaN }, /--http-port: expected a port .*, found NaN/],
    [{ dnsPort: 65_536 }, /--dns-port/],
    [{ node: 'a/b' }, /--node/],
    [{ datacenter: 'a.b' }, /--datacenter/],
    [{ bind: 'here' }, /--bind: expected an IP address, found "here"/],
    [{ client: '' }, /--client/],
    [{ timing: 'slow' as 'lan' }, /--timing: expected lan, local, wan/],
    [{ logLevel: 'loud' }, /--log-level/],
  ])('the flag %j', async (flags, text) => {
    await expect(loadConfig({ dev: true, ...flags })).rejects.toMatchObject({
      code: 'CONFIG_BAD_FLAG',
      message: expect.stringMatching(text),
    });
  });
});
