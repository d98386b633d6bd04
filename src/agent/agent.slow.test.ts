import { createServer } from 'node:net';
import { mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent } from './agent.ts';
import { loadConfig } from './config/load-config.ts';
import { testDirectory, type TestDirectory } from './config/testing.ts';
import { testLog, type TestLog } from './testing.ts';

let directory: TestDirectory;
let log: TestLog;
beforeEach(async () => {
  directory = await testDirectory();
  log = testLog();
});
afterEach(() => directory[Symbol.asyncDispose]());

interface Running extends AsyncDisposable {
  readonly agent: Agent;
  get(path: string): Promise<unknown>;
  put(path: string, body?: unknown): Promise<Response>;
}

/** An agent with `agent.json` as its configuration, on free ports. */
async function startAgent(config: object, more: { readonly onLeave?: () => void } = {}): Promise<Running> {
  await directory.write({ 'agent.json': config });
  const flags = { configFile: [directory.at('agent.json')], dataDir: directory.at('data'), store: 'memory:' };
  const readConfig = () => loadConfig({ server: true, httpPort: 0, dnsPort: -1, timing: 'local', ...flags });
  const agent = await Agent.start({ config: await readConfig(), version: '0.0.0', log, readConfig, ...more });
  const put = (path: string, body?: unknown): Promise<Response> =>
    fetch(`${agent.httpAddress}${path}`, {
      method: 'PUT',
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
  const get = async (path: string): Promise<unknown> => (await fetch(`${agent.httpAddress}${path}`)).json();
  return { agent, get, put, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() };
}

const web = (port: number): object => ({ name: 'web', port, check: { ttl: '1m' } });

describe('Agent.start()', () => {
  test('Agent.start() has its nodes in the catalog and `consul` on the first, though not among its services', async () => {
    await using running = await startAgent({ nodes: [{ name: 'a', services: [web(80)] }, { name: 'b' }] });
    const nodes = (await running.get('/v1/catalog/nodes')) as { Node: string }[];
    expect(nodes.map((one) => one.Node)).toEqual(['a', 'b']);
    expect(running.agent.nodes).toEqual(['a', 'b']);
    expect(Object.keys((await running.get('/v1/catalog/services')) as object)).toEqual(['consul', 'web']);
    const consul = (await running.get('/v1/catalog/service/consul')) as { Node: string }[];
    expect(consul.map((one) => one.Node)).toEqual(['a']);
    expect(Object.keys((await running.get('/v1/agent/services')) as object)).toEqual(['web']);
  });

  test('Agent.start() refuses a data directory that another agent has, and names it', async () => {
    await using _running = await startAgent({ node_name: 'a' });
    await expect(startAgent({ node_name: 'b' })).rejects.toMatchObject({
      code: 'STORE_IN_USE',
      message: expect.stringMatching(/the data directory .*data is in use by this process/),
    });
  });

  test('Agent.start() ends what it started when its port is taken, and says who has it', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const taken = { server: true, httpPort: port, dnsPort: -1, dataDir: directory.at('data'), node: 'a' };
    try {
      const config = await loadConfig(taken);
      await expect(Agent.start({ config, version: '0', log })).rejects.toMatchObject({
        code: 'API_PORT_TAKEN',
        message: expect.stringContaining(`(pid ${process.pid})`),
      });
    } finally {
      server.close();
    }
    await using _running = await startAgent({ node_name: 'a' });
  });

  test('Agent.start() refuses a data directory that cannot be one', async () => {
    await writeFile(directory.at('data'), '');
    await expect(startAgent({ node_name: 'a' })).rejects.toMatchObject({ code: 'AGENT_DATA_DIRECTORY' });
  });

  test('Agent.start() without a server answers for itself, keeps what is registered, and has no region', async () => {
    await directory.write({ 'agent.json': { node_name: 'a', services: [web(80)], retry_join: ['10.0.0.9'] } });
    const flags = { configFile: [directory.at('agent.json')], dataDir: directory.at('data'), httpPort: 0, dnsPort: -1 };
    const start = async (): Promise<Agent> =>
      Agent.start({ config: await loadConfig(flags), version: '0', log, readConfig: () => loadConfig(flags) });
    const first = await start();
    const ask = (at: Agent, path: string, init: RequestInit = {}): Promise<Response> =>
      fetch(`${at.httpAddress}/v1/${path}`, init);
    const put = (path: string, body?: object): Promise<Response> =>
      ask(first, path, { method: 'PUT', ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    expect((await put('agent/service/register', { Name: 'api', Check: { TTL: '1h' } })).status).toBe(200);
    expect((await put('agent/check/pass/service:api')).status).toBe(200);
    expect((await put('agent/maintenance?enable=true')).status).toBe(200);
    expect((await put('agent/maintenance?enable=false')).status).toBe(200);
    expect((await put('agent/reload')).status).toBe(200);
    const members = (await (await ask(first, 'agent/members')).json()) as object[];
    expect(members).toMatchObject([{ Name: 'a', Status: 1, Tags: { role: 'node' } }]);
    const self = await (await ask(first, 'agent/self')).json();
    expect(self).toMatchObject({
      Config: { Server: false },
      Member: members[0],
      Stats: { consul: { leader_addr: '' } },
    });
    expect(await (await ask(first, 'status/leader')).json()).toBe('');
    expect(await (await ask(first, 'status/peers')).json()).toEqual([]);
    for (const path of ['catalog/nodes', 'kv/a', 'health/state/any', 'session/list', 'event/list']) {
      const answer = await ask(first, path);
      expect([answer.status, await answer.text()]).toEqual([500, 'No known Consul servers']);
    }
    const refused = await fetch(`${first.httpAddress}/v2/services`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: 'API_NO_SERVERS' } });
    expect(first.dnsAddress).toBeNull();
    expect(log.lines).toContainEqual(expect.stringMatching(/no server of the region is linked: http:\/\/10\.0\.0\.9/));
    await first[Symbol.asyncDispose]();
    const second = await start();
    const services = await (await ask(second, 'agent/services')).json();
    expect(Object.keys(services as object).toSorted()).toEqual(['api', 'web']);
    expect((await ask(second, 'agent/nothing')).status).toBe(404);
    await second.leave();
    await second[Symbol.asyncDispose]();
  });

  test('Agent.start() leaves a data directory that is its alone, and removes that of --dev', async () => {
    await using running = await startAgent({ node_name: 'a' });
    expect((await stat(directory.at('data'))).mode & 0o777).toBe(0o700);
    await running.agent[Symbol.asyncDispose]();
    expect((await stat(directory.at('data'))).isDirectory()).toBe(true);
    const config = await loadConfig({ dev: true, httpPort: -1, dnsPort: -1, node: 'a' });
    const dev = await Agent.start({ config, version: '0', log });
    expect([dev.httpAddress, dev.dnsAddress]).toEqual([null, null]);
    await dev[Symbol.asyncDispose]();
    await expect(stat(config.dataDirectory)).rejects.toThrow('ENOENT');
  });
});

describe('Agent.reload()', () => {
  test('Agent.reload() takes up services, checks, runs and nodes, and keeps what the API registered', async () => {
    await using running = await startAgent({ nodes: [{ name: 'a', services: [web(80)] }, { name: 'b' }] });
    await running.put('/v1/agent/service/register', { Name: 'api', Port: 1 });
    await directory.write({
      'agent.json': {
        nodes: [
          { name: 'a', services: [web(81)], runs: ['web'] },
          { name: 'c', services: [web(82)] },
        ],
      },
    });
    expect((await running.put('/v1/agent/reload')).status).toBe(200);
    expect(running.agent.nodes).toEqual(['a', 'c']);
    const instances = (await running.get('/v1/catalog/service/web')) as { Node: string; ServicePort: number }[];
    expect(instances.filter((one) => one.Node !== 'b').map((one) => [one.Node, one.ServicePort])).toEqual([
      ['a', 81],
      ['c', 82],
    ]);
    expect(Object.keys((await running.get('/v1/agent/services')) as object).toSorted()).toEqual(['api', 'web']);
    expect(log.lines).toContainEqual('info: the configuration was read again');
  });

  test.each([
    ['a file that cannot be read as JSON', '{ "nodes": [', 'DEFINITION_SYNTAX'],
    ['an unknown key', '{ "node_name": "a", "servises": [] }', 'DEFINITION_UNKNOWN_KEY'],
    [
      'an owner that does not exist',
      '{ "node_name": "a", "services": [{"name": "x"}], "environment": { "directory": "e", "owner": "nobody-of-that-name" } }',
      'AGENT_UNKNOWN_OWNER',
    ],
  ])('Agent.reload() with %s leaves everything as it was, and says so', async (_what, text, code) => {
    await using running = await startAgent({ node_name: 'a', services: [web(80)] });
    const before = await running.get('/v1/agent/services');
    await directory.write({ 'agent.json': text });
    await expect(running.agent.reload()).rejects.toMatchObject({ code });
    expect((await running.put('/v1/agent/reload')).status).toBeGreaterThanOrEqual(400);
    expect(await running.get('/v1/agent/services')).toEqual(before);
    await directory.write({ 'agent.json': { node_name: 'a', services: [web(81)] } });
    await running.agent.reload();
    expect(await running.get('/v1/agent/services')).not.toEqual(before);
  });

  test('Agent.reload() is done one after the other, the last one with the last file', async () => {
    await using running = await startAgent({ node_name: 'a' });
    const reloads: Promise<void>[] = [];
    for (const port of [1, 2, 3]) {
      await directory.write({ 'agent.json': { node_name: 'a', services: [web(port)] } });
      reloads.push(running.agent.reload());
    }
    await Promise.all(reloads);
    expect(await running.get('/v1/agent/services')).toMatchObject({ web: { Port: 3 } });
  });

  test('Agent.reload() starts a node again whose environment is written elsewhere, and nobody takes it for down', async () => {
    const config = (name: string): object => ({ node_name: 'a', services: [web(1)], environment: { directory: name } });
    await using running = await startAgent(config('one'));
    await running.put('/v1/agent/service/register', { Name: 'api', Port: 1 });
    await mkdir(directory.at('two'));
    await directory.write({ 'agent.json': config('two') });
    await running.agent.reload();
    expect(Object.keys((await running.get('/v1/agent/services')) as object).toSorted()).toEqual(['api', 'web']);
    expect(await running.get('/v1/health/node/a')).toContainEqual(
      expect.objectContaining({ CheckID: 'serfHealth', Status: 'passing' }),
    );
  });

  test('Agent.reload() warns of what it cannot take up', async () => {
    await using running = await startAgent({ node_name: 'a' });
    await directory.write({ 'agent.json': { node_name: 'a', datacenter: 'other' } });
    await running.agent.reload();
    expect(log.lines).toContainEqual('warn: datacenter is another now: restart the agent to take that up');
  });
});

describe('Agent.leave()', () => {
  test('Agent.leave() is asked for by the API, and marks its nodes as left', async () => {
    const asked = Promise.withResolvers<void>();
    await using running = await startAgent(
      { nodes: [{ name: 'a' }, { name: 'b' }] },
      { onLeave: () => asked.resolve() },
    );
    expect((await running.put('/v1/agent/leave')).status).toBe(200);
    await asked.promise;
    await running.agent.leave();
    const members = (await running.get('/v1/agent/members')) as { Name: string; Status: number }[];
    expect(members.map((one) => [one.Name, one.Status])).toEqual([
      ['a', 3],
      ['b', 3],
    ]);
  });
});

test('Agent stops without taking its nodes for lost, and has them again after a start', async () => {
  const config = { node_name: 'a', services: [web(80)] };
  const flags = { server: true, httpPort: 0, dnsPort: -1, timing: 'local', dataDir: directory.at('data') } as const;
  await directory.write({ 'agent.json': config });
  const start = async (): Promise<Agent> => {
    const loaded = await loadConfig({ ...flags, configFile: [directory.at('agent.json')] });
    return Agent.start({ config: loaded, version: '0', log });
  };
  for (const round of [1, 2]) {
    await using agent = await start();
    const health = await fetch(`${agent.httpAddress}/v1/health/node/a`);
    const serf = ((await health.json()) as { CheckID: string; ModifyIndex: number }[])[0];
    expect(serf).toMatchObject({ CheckID: 'serfHealth', Status: 'passing' });
    if (round === 2) expect(log.lines.filter((line) => /suspect|down/.test(line))).toEqual([]);
  }
  await rm(directory.at('data'), { recursive: true });
});

test('Agent has the configured management token also after a snapshot was restored that does not hold it', async () => {
  const secret = '5e6b2d4e-8c35-4b0e-9a41-0123456789ab';
  const snapshotOf = async (): Promise<ArrayBuffer> => {
    await using open = await startAgent({ node_name: 'a' });
    return (await fetch(`${open.agent.httpAddress}/v1/snapshot`)).arrayBuffer();
  };
  const body = await snapshotOf();
  await using closed = await startAgent({
    node_name: 'a',
    acl: { enabled: true, default_policy: 'deny', tokens: { initial_management: secret } },
  });
  const ask = (method: string, path: string): Promise<Response> =>
    fetch(`${closed.agent.httpAddress}${path}`, {
      method,
      headers: { 'x-consul-token': secret },
      ...(method === 'PUT' ? { body } : {}),
    });
  expect((await ask('PUT', '/v1/snapshot')).status).toBe(200);
  expect(await (await ask('GET', '/v1/acl/token/self')).json()).toMatchObject({ SecretID: secret });
});
