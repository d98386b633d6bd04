import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { until } from '../until.ts';
import { DATABASE, DNS_PORT, HTTP_PORT, ROOT, startRegion, TestRegion } from './acceptance-region.ts';
import { nodesAnswering } from './acceptance-traffic.ts';

const BROKEN = path.join(ROOT, 'test/fixtures/seeds/app-www.json');

describe('definitions that are refused', () => {
  let region: TestRegion;
  beforeAll(async () => {
    region = await startRegion({ furnished: false });
    expect((await region.drover('service:apply', path.join(region.directory, 'definitions'))).code).toBe(0);
  });
  afterAll(() => region?.[Symbol.asyncDispose]());

  async function fileOf(name: string, definition: object | string): Promise<string> {
    const file = path.join(region.directory, name);
    await writeFile(file, typeof definition === 'string' ? definition : JSON.stringify(definition, null, 2));
    return file;
  }
  const definitions = (): Promise<object[]> => region.client.definitions();
  /** Changes of definitions by revision: a server writes others of its own accord. */
  const declarations = async (): Promise<number[]> => {
    const answer = await fetch(`${region.http}/v2/changes?limit=100`);
    const changes = (await answer.json()) as { revision: number; summary: string[] }[];
    return changes
      .filter(({ summary }) => summary.some((one) => one.startsWith('definition')))
      .map((one) => one.revision);
  };

  test("the document's broken definition exits 2 with place, line and what was expected, and nothing is applied", async () => {
    const before = await definitions();
    const declared = await declarations();
    const good = await fileOf('new.json', { id: 'new', command: true });
    const ran = await region.drover('service:apply', good, BROKEN);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/^error DEFINITION_SYNTAX: \S*app-www\.json:10:5: expected ',' before "PORT"\n/);
    expect(ran.stderr).toContain('\n   9 |     "ENV": "production"\n  10 |     "PORT": 8080\n     |     ^\n');
    expect(ran.stderr).toContain('hint: add a comma at the end of line 9');
    const json = await region.drover('service:apply', BROKEN, '--json');
    expect(JSON.parse(json.stderr)).toMatchObject({
      error: { code: 'DEFINITION_SYNTAX', place: { line: 10, column: 5 }, hint: 'add a comma at the end of line 9' },
    });
    const text = await readFile(BROKEN, 'utf8');
    const sent = await fetch(`${region.http}/v2/definitions/app-www`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: text,
    });
    expect(sent.status).toBe(400);
    expect(await sent.json()).toMatchObject({ error: { place: { line: 10, column: 5 } } });
    expect(await definitions()).toEqual(before);
    expect(await declarations()).toEqual(declared);
  });

  test('`enviroment` is met with `environment`? and its place', async () => {
    const file = await fileOf('typo.json', '{\n  "id": "typo",\n  "command": true,\n  "enviroment": { "A": "b" }\n}\n');
    const ran = await region.drover('service:apply', file);
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(/typo\.json:4:3: .*"enviroment"/);
    expect(ran.stderr).toMatch(/did you mean "?`?environment/);
  });

  test.each([
    ['JSON5', 'bad.json5', `{id: 'bad', command: true,, }`, /bad\.json5:1:\d+: /],
    ['YAML', 'bad.yaml', 'id: bad\ncommand: true\nenvironment: {A: [}\n', /bad\.yaml:3:\d+: /],
    [
      'a wrong type',
      'type.json',
      '{\n "id": "type",\n "command": true,\n "local_port": "many"\n}',
      /type\.json:4:\d+: .*local_port/,
    ],
    [
      'a port out of range',
      'port.json',
      '{\n "id": "port",\n "command": true,\n "local_port": 70000\n}',
      /port\.json:4:\d+: .*65535/,
    ],
    ['an unknown built-in', 'in.json', '{"id": "in", "command": true, "provides": {"X_URL": "http://{HOTS}"}}', /HOTS/],
  ])('%s is refused with its place', async (_what, name, text, said) => {
    const before = await definitions();
    const ran = await region.drover('service:apply', await fileOf(name, text));
    expect(ran).toMatchObject({ code: 2, stdout: '' });
    expect(ran.stderr).toMatch(said);
    expect(await definitions()).toEqual(before);
  });

  test('a second provider of a name and an id given twice are refused', async () => {
    const before = await definitions();
    const second = await fileOf('rival.json', {
      id: 'rival',
      command: true,
      provides: { READONLY_API_URL: 'http://{HOST}:{PORT}' },
      local_port: 1200,
    });
    const rival = await region.drover('service:apply', second);
    expect([2, 6]).toContain(rival.code);
    expect(rival.stderr).toMatch(/READONLY_API_URL/);
    expect(rival.stderr).toMatch(/\bapi\b/);
    const twice = await region.drover(
      'service:apply',
      second,
      await fileOf('again.json', { id: 'rival', command: true }),
    );
    expect([2, 6]).toContain(twice.code);
    expect(twice.stderr).toMatch(/rival/);
    expect(await definitions()).toEqual(before);
  });

  test('a cycle of requirements is legal and reported', async () => {
    const one = { id: 'chicken', command: true, provides: { CHICKEN_URL: 'http://{HOST}:{PORT}' }, local_port: 1301 };
    const other = { id: 'egg', command: true, provides: { EGG_URL: 'http://{HOST}:{PORT}' }, local_port: 1302 };
    const files = [
      await fileOf('chicken.json', { ...one, requires: { E: '{EGG_URL}' } }),
      await fileOf('egg.json', { ...other, requires: { C: '{CHICKEN_URL}' } }),
    ];
    const ran = await region.drover('service:apply', ...files);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/note: .*chicken.*egg/);
    expect((await region.drover('service:show', 'egg')).stdout).toMatch(/note: .*chicken/);
  });

  test('names that nobody provides are warned of, and exit 3 where they are needed', async () => {
    const file = await fileOf('needy.json', {
      id: 'needy',
      command: true,
      requires: { A: '{NOBODYS_URL}', B: '{NEVER_URL}' },
    });
    const ran = await region.drover('service:apply', file);
    expect(ran.code).toBe(0);
    expect(ran.stderr).toMatch(/NOBODYS_URL/);
    const asked = await region.drover('env', 'needy');
    expect(asked).toMatchObject({ code: 3, stdout: '' });
    expect(asked.stderr).toMatch(/NEVER_URL/);
    expect(asked.stderr).toMatch(/NOBODYS_URL/);
  });
});

describe('an agent that cannot have what it needs', () => {
  const left: AsyncDisposable[] = [];
  afterEach(async () => {
    for (const one of left.splice(0).toReversed()) await one[Symbol.asyncDispose]();
  });
  const use = <T extends AsyncDisposable>(resource: T): T => {
    left.push(resource);
    return resource;
  };

  async function listen(host: string, port: number): Promise<void> {
    const server = http.createServer((_request, response) => response.end('a stranger'));
    server.listen(port, host);
    await once(server, 'listening');
    use({
      [Symbol.asyncDispose]: async () => {
        server.closeAllConnections();
        if (server.listening) await server[Symbol.asyncDispose]();
      },
    });
  }

  test('a second agent on one data directory ends and names the first, which goes on', async () => {
    const region = use(await startRegion({ furnished: false }));
    const { code, stderr } = await region.runAgent('--http-port', '-1', '--dns-port', '-1');
    expect(code).toBe(6);
    expect(stderr).toMatch(/^error STORE_IN_USE: .*in use by/);
    expect(stderr).toContain(String(region.agentPid));
    expect(await region.client.status()).toMatchObject({ ready: true });
    expect(await region.setDatabase(DATABASE)).toBeGreaterThan(0);
  });

  test('a store of a newer layout is refused and left as it is', async () => {
    const region = use(await startRegion({ furnished: false }));
    await region.setDatabase(DATABASE);
    await region.stopAgent();
    const file = path.join(region.dataDirectory, 'store', 'store.db');
    const layout = (sql: string): unknown => {
      using database = new DatabaseSync(file);
      return database.prepare(sql).get();
    };
    layout('pragma user_version = 99');
    const { code, stderr } = await region.runAgent();
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error STORE_NEWER_LAYOUT: .*99/);
    expect(layout('pragma user_version')).toEqual({ user_version: 99 });
    layout('pragma user_version = 1');
    await region.startAgent();
    expect(await region.client.datastores({ reveal: true })).toMatchObject([{ value: DATABASE }]);
  });

  test.each([
    { what: 'HTTP', port: HTTP_PORT, error: /^error API_PORT_TAKEN: .*held by/ },
    { what: 'DNS', port: DNS_PORT, error: /^error DNS_\w+: .*held by/ },
  ])('a taken $what port ends the agent and names the holder', async ({ port, error }) => {
    const region = use(await TestRegion.prepare());
    await listen(region.address('staging'), port);
    const { code, stderr } = await region.runAgent();
    expect(code).toBe(6);
    expect(stderr).toMatch(error);
    expect(stderr).toContain(String(process.pid));
    expect(region.provisionLines(), 'it did nothing before').toEqual([]);
  });

  test('a data directory that cannot be ends the agent with a word on it', async () => {
    const region = use(await TestRegion.prepare({ alter: (config) => (config['data_dir'] = './agent.json5/data') }));
    const { code, stderr } = await region.runAgent();
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error AGENT_DATA_DIRECTORY: .*agent\.json5\/data/);
  });

  test('an environment directory that cannot be written is a refused receipt with the time of the next try, and mends itself', async () => {
    const blocked = (region: { directory: string }): string => path.join(region.directory, 'blocked');
    const region = use(
      await TestRegion.prepare({
        alter: (config, one) => {
          (config.nodes[0] as { environment: object }).environment = {
            directory: path.join(blocked(one), 'services.d'),
          };
        },
      }),
    );
    await writeFile(blocked(region), 'a file where a directory should be');
    await region.startAgent();
    await region.drover('datastore:import', path.join(region.directory, 'datastores.json'));
    await region.drover('service:apply', path.join(region.directory, 'definitions'));
    const refused = await until('the environment was refused', async () => {
      const { consumers } = await region.client
        .trace(await region.setDatabase(DATABASE))
        .catch(() => ({ consumers: [] }));
      return consumers.find((one) => one.kind === 'environment' && one.node === 'staging' && one.state === 'refused');
    });
    expect(refused.reason).toContain('blocked');
    expect(refused.retryAt).toBeDefined();
    expect((await region.drover('env', 'app-www')).code).toBe(0);
    await rm(blocked(region));
    const file = path.join(blocked(region), 'services.d', 'app-www.conf');
    await until('it is written', () => existsSync(file));
    expect(await readFile(file, 'utf8')).toContain(DATABASE);
  });
});

requireComponent('haproxy')('a balancer that cannot have what it needs', () => {
  test('a port that a stranger holds is named with its holder, and taken once it is free', async () => {
    await using region = await TestRegion.prepare();
    const stranger = http.createServer((_request, response) => response.end('{"node":"a stranger"}'));
    stranger.listen(1100, region.address('staging'));
    await once(stranger, 'listening');
    try {
      await region.startAgent();
      await region.furnish();
      const status = (await region.client.request('/v2/balancer')).body as { frontends: { error: string | null }[] };
      expect(status.frontends[0]?.error).toContain(String(process.pid));
      expect(await nodesAnswering(region.address('staging'), 1100, 10)).toEqual(new Set(['a stranger']));
      const doctor = await region.drover('doctor');
      expect(doctor.code).toBe(1);
      expect(doctor.stdout).toMatch(/balancer/);
    } finally {
      stranger.closeAllConnections();
      stranger.close();
    }
    await until('the balancer has its port', async () =>
      (await nodesAnswering(region.address('staging'), 1100, 1)).has('api-1'),
    );
  });

  test('without HAProxy everything else goes on, and it is said what is missing', async () => {
    await using region = await startRegion({
      alter: (config) => {
        const [staging] = config.nodes as { balancer: object }[];
        if (staging) staging.balancer = { ...staging.balancer, haproxy: '/no/such/haproxy' };
      },
    });
    const revision = await region.setDatabase('mysql://db2/app');
    await region.arrived(revision);
    expect((await region.drover('env', 'app-www', '--reveal')).code).toBe(0);
    const found = await region.drover('dns:resolve', 'elasticsearch.service.consul');
    expect(found.code).toBe(0);
    const registered = await region.put('/v1/catalog/register', {
      Node: 'outside',
      Address: region.address('external'),
      Service: { Service: 'api', Port: 1100 },
    });
    const { consumers } = await region.client.trace(registered);
    const balancer = await until('the balancer said so', async () =>
      (await region.client.trace(registered)).consumers.find((one) => one.kind === 'balancer' && one.state !== 'late'),
    );
    expect(consumers.map((one) => one.kind).toSorted()).toEqual(['balancer', 'dns']);
    expect(balancer.state).not.toBe('arrived');
    expect(balancer.reason).toContain('/no/such/haproxy');
    expect(region.agentLog).toContain('/no/such/haproxy');
    const doctor = await region.drover('doctor');
    expect(doctor.code).toBe(1);
    expect(doctor.stdout).toMatch(/haproxy/i);
  });
});
