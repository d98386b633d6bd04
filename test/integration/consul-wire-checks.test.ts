import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { until } from './cli-region.ts';
import { ConsulAgent } from './consul-agent.ts';
import { testRows, Wire } from './consul-wire.ts';

/** Checks: consul-http-api 8 (their endpoints) and 9 (their kinds). */

type Row = Record<string, unknown>;

let agent: ConsulAgent;
let wire: Wire;
let web: Server;
let url: string;
const asked: { method: string; body: string; header: string }[] = [];
beforeAll(async () => {
  const configuration = { node_name: 'n1', enable_script_checks: true };
  agent = await ConsulAgent.start({ flags: ['-dev'], configuration });
  wire = new Wire(agent.url);
  web = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const header = String(request.headers['x-check']);
      asked.push({ method: `${request.method} ${request.url}`, body: Buffer.concat(chunks).toString(), header });
      const [, status] = /^\/(\d+)/.exec(request.url ?? '') ?? [];
      response.writeHead(Number(status ?? 200), { Location: '/200' }).end('the body');
    });
  });
  web.listen(0, '127.0.0.1');
  await once(web, 'listening');
  url = `http://127.0.0.1:${(web.address() as AddressInfo).port}`;
});
afterAll(async () => {
  wire?.[Symbol.dispose]();
  await agent?.[Symbol.asyncDispose]();
  web?.closeAllConnections();
  web?.close();
});

const register = async (body: Row): Promise<void> => {
  expect(await wire.ok('PUT agent/check/register', { body })).toMatchObject({ text: '' });
};
const check = async (id: string): Promise<Row> =>
  (await wire.json<Record<string, Row>>('GET agent/checks'))[id] ?? { Status: 'none' };
const becomes = (id: string, wanted: Row): Promise<void> => until(async () => matches(await check(id), wanted));
const matches = (found: Row, wanted: Row): boolean =>
  Object.entries(wanted).every(([key, value]) =>
    value instanceof RegExp ? value.test(String(found[key])) : found[key] === value,
  );

describe('registering', () => {
  const call = 'PUT agent/check/register';

  test('PUT agent/check/register: a check of the node, as agent/checks shows it', async () => {
    await register({ ID: 'disk', Name: 'Disk', Notes: 'room', TTL: '10m', Status: 'passing' });
    expect(await check('disk')).toEqual({
      Node: 'n1',
      CheckID: 'disk',
      Name: 'Disk',
      Status: 'passing',
      Notes: 'room',
      Output: '',
      ServiceID: '',
      ServiceName: '',
      ServiceTags: [],
      Type: 'ttl',
      Interval: expect.any(String),
      Timeout: expect.any(String),
      ExposedPort: 0,
      Definition: expect.any(Object),
      CreateIndex: 0,
      ModifyIndex: 0,
    });
  });

  test('PUT agent/check/register: the ID defaults to the name, the status to critical; CheckID is one too', async () => {
    await register({ Name: 'by-name', TTL: '10m' });
    expect(await check('by-name')).toMatchObject({ Name: 'by-name', Status: 'critical' });
    await register({ CheckID: 'by-id', Name: 'other', TTL: '10m' });
    expect(await check('by-id')).toMatchObject({ CheckID: 'by-id', Name: 'other' });
  });

  test('PUT agent/check/register: a check of a service has its name and tags', async () => {
    await wire.ok('PUT agent/service/register', { body: { ID: 'web-1', Name: 'web', Tags: ['a'] } });
    await register({ ID: 'bound', Name: 'bound', ServiceID: 'web-1', TTL: '10m' });
    expect(await check('bound')).toMatchObject({ ServiceID: 'web-1', ServiceName: 'web', ServiceTags: ['a'] });
  });

  test('PUT agent/check/register: snake case and any case are understood', async () => {
    await register({ check_id: 'snake', name: 'snake', service_id: 'web-1', ttl: '10m', success_before_passing: 0 });
    expect(await check('snake')).toMatchObject({ ServiceID: 'web-1', Type: 'ttl' });
    await register({ NAME: 'shout', tTl: 600_000_000_000, unknown: 1 });
    expect(await check('shout')).toMatchObject({ Type: 'ttl' });
  });

  test('PUT agent/service/register: checks in snake case', async () => {
    const checks = [
      { check_id: 'snake-http', http: `${url}/200`, tls_skip_verify: true, tls_server_name: 'a', interval: '1h' },
      { check_id: 'snake-args', script_args: ['true'], interval: '1h', failures_before_critical: 1 },
      { check_id: 'snake-docker', docker_container_id: 'none', args: ['true'], interval: '1h' },
      { check_id: 'snake-grpc', grpc: '127.0.0.1:1', grpc_use_tls: true, interval: '1h' },
      { check_id: 'snake-alias', alias_service: 'web-1' },
      { check_id: 'snake-ttl', ttl: '1h', deregister_critical_service_after: '90m', success_before_passing: 1 },
    ];
    await wire.ok('PUT agent/service/register', { body: { name: 'snakes', checks } });
    for (const { check_id } of checks) expect(await check(check_id)).toMatchObject({ ServiceID: 'snakes' });
  });

  test('GET agent/checks: does not show serfHealth, health/node does', async () => {
    expect(await wire.json('GET agent/checks')).not.toHaveProperty('serfHealth');
    expect(await wire.json('GET health/node/n1')).toContainEqual(
      expect.objectContaining({
        CheckID: 'serfHealth',
        Name: 'Serf Health Status',
        Output: 'Agent alive and reachable',
        Status: 'passing',
      }),
    );
  });

  test('PUT agent/check/deregister/: takes the check', async () => {
    await register({ Name: 'gone/1', TTL: '10m' });
    expect(await wire.ok('PUT agent/check/deregister/gone%2F1')).toMatchObject({ text: '' });
    expect(await check('gone/1')).toEqual({ Status: 'none' });
  });

  const unknown = 'Unknown check ID "none". Ensure that the check ID is passed, not the check name.';
  testRows(
    () => wire,
    [
      [`${call}: no name is 400`, call, 400, 'Missing check name', { TTL: '10s' }],
      [`${call}: no JSON is 400`, call, 400, /^Request decode failed: /, '['],
      [
        `${call}: a bad duration is 400`,
        call,
        400,
        /^Request decode failed: .*invalid duration/,
        { Name: 'x', TTL: 'x' },
      ],
      [
        `${call}: an unknown service is 404`,
        call,
        404,
        'ServiceID "none" does not exist',
        { Name: 'x', ServiceID: 'none', TTL: '1m' },
      ],
      [`${call}: a bad status is 400`, call, 400, 'Bad check status', { Name: 'x', TTL: '1m', Status: 'good' }],
      [`${call}: no kind is 400`, call, 400, /\w/, { Name: 'x' }],
      [`${call}: two kinds are 400`, call, 400, /\w/, { Name: 'x', TTL: '1m', HTTP: 'http://a', Interval: '10s' }],
      [`${call}: no interval is 400`, call, 400, /nterval/, { Name: 'x', TCP: 'a:1' }],
      ['PUT agent/check/deregister/: no ID is 400', 'PUT agent/check/deregister/', 400, /^Missing check ID/],
      ['PUT agent/check/deregister/: unknown is 404', 'PUT agent/check/deregister/none', 404, unknown],
      ['PUT agent/check/pass/: unknown is 404', 'PUT agent/check/pass/none', 404, unknown],
      ['PUT agent/check/warn/: unknown is 404', 'PUT agent/check/warn/none', 404, unknown],
      ['PUT agent/check/fail/: unknown is 404', 'PUT agent/check/fail/none', 404, unknown],
      ['PUT agent/check/update/: unknown is 404', 'PUT agent/check/update/none', 404, unknown, { Status: 'passing' }],
      ['PUT agent/check/pass/: no ID is 400', 'PUT agent/check/pass/', 400, /^Missing check ID/],
      ['PUT agent/check/pass/: GET is 405', 'GET agent/check/pass/none', 405, 'method GET not allowed'],
    ],
  );
});

describe('TTL', () => {
  test.each([
    ['pass', 'passing'],
    ['warn', 'warning'],
    ['fail', 'critical'],
  ])('PUT agent/check/%s/: sets %s and the output', async (verb, status) => {
    await register({ Name: 'ttl', TTL: '10m' });
    expect(await wire.ok(`PUT agent/check/${verb}/ttl?note=all+said`)).toMatchObject({ text: '' });
    expect(await check('ttl')).toMatchObject({ Status: status, Output: 'all said' });
  });

  // The verbs by their full names: PUT agent/check/pass/, PUT agent/check/warn/, PUT agent/check/fail/.
  test.each(['passing', 'warning', 'critical'])('PUT agent/check/update/: sets %s and the output', async (Status) => {
    await register({ Name: 'ttl', TTL: '10m' });
    const body = { Status, Output: `it is ${Status}` };
    expect(await wire.ok('PUT agent/check/update/ttl', { body })).toMatchObject({ text: '' });
    expect(await check('ttl')).toMatchObject(body);
  });

  test('PUT agent/check/pass/: the catalog and who waits for it see it at once', async () => {
    await register({ Name: 'watched', TTL: '10m' });
    const { index } = await wire.ok('GET health/node/n1');
    const waiting = wire.json<Row[]>(`GET health/node/n1?index=${index}&wait=30s`);
    await wire.ok('PUT agent/check/pass/watched');
    expect(await waiting).toContainEqual(expect.objectContaining({ CheckID: 'watched', Status: 'passing' }));
  });

  test('PUT agent/check/pass/: restarts the clock; when it runs out the check is critical', async () => {
    await register({ Name: 'short', TTL: '2s' });
    await wire.ok('PUT agent/check/pass/short');
    await new Promise((resolve) => setTimeout(resolve, 1_300));
    await wire.ok('PUT agent/check/pass/short');
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(await check('short')).toMatchObject({ Status: 'passing' });
    await becomes('short', { Status: 'critical', Output: /^TTL expired/ });
  });

  const other = 'PUT agent/check/update/other';
  testRows(
    () => wire,
    [
      [
        'PUT agent/check/register: a check that is no TTL',
        'PUT agent/check/register',
        200,
        '',
        { Name: 'other', Args: ['true'], Interval: '1h' },
      ],
      [
        'PUT agent/check/pass/: no TTL is 500',
        'PUT agent/check/pass/other',
        500,
        'CheckID "other" does not have associated TTL',
      ],
      [
        'PUT agent/check/warn/: no TTL is 500',
        'PUT agent/check/warn/other',
        500,
        'CheckID "other" does not have associated TTL',
      ],
      [
        'PUT agent/check/fail/: no TTL is 500',
        'PUT agent/check/fail/other',
        500,
        'CheckID "other" does not have associated TTL',
      ],
      [
        'PUT agent/check/update/: no TTL is 500',
        other,
        500,
        'CheckID "other" does not have associated TTL',
        { Status: 'passing' },
      ],
      ['PUT agent/check/update/: a bad status is 400', other, 400, "Invalid check status: 'x'", { Status: 'x' }],
      ['PUT agent/check/update/: no status is 400', other, 400, "Invalid check status: ''", {}],
      ['PUT agent/check/update/: no JSON is 400', other, 400, /^Request decode failed: /, '{'],
    ],
  );
});

describe('HTTP', () => {
  test.each([
    ['200', 'passing'],
    ['204', 'passing'],
    ['429', 'warning'],
    ['404', 'critical'],
    ['500', 'critical'],
  ])('http 9: status %s is %s', async (path, status) => {
    await register({ Name: `http-${path}`, HTTP: `${url}/${path}`, Interval: '10ms' });
    await becomes(`http-${path}`, {
      Status: status,
      Type: 'http',
      Output: new RegExp(`^HTTP GET ${url}/${path}: ${path} `),
    });
  });

  test('http 9: the output has status and body', async () => {
    await register({ Name: 'http-output', HTTP: `${url}/200`, Interval: '1h' });
    await becomes('http-output', { Output: `HTTP GET ${url}/200: 200 OK Output: the body` });
  });

  test('http 9: an HTTP check with an interval of 10 ms is passing within a second', async () => {
    await register({ Name: 'http-soon', HTTP: `${url}/200`, Interval: '10ms' });
    const fromMs = performance.now();
    await becomes('http-soon', { Status: 'passing' });
    // On a busy machine too.
    expect(performance.now() - fromMs).toBeLessThan(5_000);
  });

  test('http 9: Method, Header and Body are sent', async () => {
    const sent = { Method: 'POST', Header: { 'X-Check': ['yes'] }, Body: 'ping' };
    await register({ Name: 'http-sent', HTTP: `${url}/200/sent`, Interval: '1h', ...sent });
    await becomes('http-sent', { Status: 'passing' });
    expect(asked).toContainEqual({ method: 'POST /200/sent', body: 'ping', header: 'yes' });
  });

  test('http 9: redirects are followed unless DisableRedirects', async () => {
    await register({ Name: 'http-follow', HTTP: `${url}/302`, Interval: '1h' });
    await register({ Name: 'http-stay', HTTP: `${url}/302`, Interval: '1h', DisableRedirects: true });
    await becomes('http-follow', { Status: 'passing' });
    await becomes('http-stay', { Status: 'critical', Output: /302/ });
  });

  test('http 9: nobody there is critical', async () => {
    await register({ Name: 'http-nobody', HTTP: 'http://127.0.0.1:1/', Interval: '1h' });
    await becomes('http-nobody', { Status: 'critical', Output: /\w/ });
  });

  test('http 9: SuccessBeforePassing counts', async () => {
    const counted = { Interval: '1s', SuccessBeforePassing: 2 };
    await register({ Name: 'http-counted', HTTP: `${url}/200/counted`, ...counted });
    await until(() => asked.some(({ method }) => method === 'GET /200/counted'));
    expect(await check('http-counted')).toMatchObject({ Status: 'critical' });
    await becomes('http-counted', { Status: 'passing' });
  });

  test('http 9: FailuresBeforeCritical counts, with FailuresBeforeWarning in between', async () => {
    const counted = { Interval: '1s', Status: 'passing', FailuresBeforeWarning: 1, FailuresBeforeCritical: 2 };
    await register({ Name: 'http-failing', HTTP: `${url}/500/failing`, ...counted });
    await becomes('http-failing', { Status: 'warning' });
    await becomes('http-failing', { Status: 'critical' });
  });
});

describe('other kinds', () => {
  test('http 9: TCP connects', async () => {
    const { host } = new URL(url);
    await register({ Name: 'tcp', TCP: host, Interval: '10ms' });
    await register({ Name: 'tcp-nobody', TCP: '127.0.0.1:1', Interval: '10ms' });
    await becomes('tcp', { Status: 'passing', Type: 'tcp', Output: `TCP connect ${host}: Success` });
    await becomes('tcp-nobody', { Status: 'critical' });
  });

  test('http 9: UDP is answered', async () => {
    const socket = createSocket('udp4');
    socket.on('message', (message, { port }) => socket.send(message, port, '127.0.0.1'));
    socket.bind(0, '127.0.0.1');
    await once(socket, 'listening');
    await register({ Name: 'udp', UDP: `127.0.0.1:${socket.address().port}`, Interval: '10ms' });
    await becomes('udp', { Status: 'passing', Type: 'udp' });
    socket.close();
  });

  test.each([
    [0, 'passing'],
    [1, 'warning'],
    [2, 'critical'],
    [77, 'critical'],
  ])('http 9: a script that exits with %i is %s, with both its outputs', async (code, status) => {
    const Args = ['/bin/sh', '-c', `echo out; echo err >&2; exit ${code}`];
    await register({ Name: `script-${code}`, Args, Interval: '1h' });
    await becomes(`script-${code}`, { Status: status, Type: 'script', Output: /out\n[^]*err\n|err\n[^]*out\n/ });
  });

  test('http 9: ScriptArgs and Script are scripts too', async () => {
    await register({ Name: 'script-args', ScriptArgs: ['/bin/sh', '-c', 'exit 1'], Interval: '1h' });
    await register({ Name: 'script-old', Script: 'echo "$((1 + 1))" && exit 0', Interval: '1h' });
    await becomes('script-args', { Status: 'warning' });
    await becomes('script-old', { Status: 'passing', Output: '2\n' });
  });

  test('http 9: the output of a script has at most 4096 bytes, or OutputMaxSize', async () => {
    const Args = ['/bin/sh', '-c', 'head -c 9000 /dev/zero | tr "\\0" x'];
    await register({ Name: 'script-long', Args, Interval: '1h' });
    await register({ Name: 'script-short', Args, Interval: '1h', OutputMaxSize: 100 });
    await becomes('script-long', { Status: 'passing' });
    await becomes('script-short', { Status: 'passing' });
    const bytes = async (id: string): Promise<number> => Buffer.byteLength(String((await check(id)).Output));
    expect(await bytes('script-long')).toBe(4096);
    expect(await bytes('script-short')).toBe(100);
  });

  test('http 9: a script that takes longer than its Timeout is critical', async () => {
    await register({ Name: 'script-slow', Args: ['sleep', '30'], Interval: '1h', Timeout: '200ms' });
    await becomes('script-slow', { Status: 'critical', Output: /[Tt]imed? ?out/ });
  });

  test('http 9: an alias has the worst status of its target', async () => {
    await using alone = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'alone' } });
    using there = new Wire(alone.url);
    const checks = [
      { TTL: '10m', Status: 'passing' },
      { CheckID: 'target', TTL: '10m', Status: 'warning' },
    ];
    await there.ok('PUT agent/service/register', { body: { Name: 'aliased', Checks: checks } });
    await there.ok('PUT agent/check/register', { body: { Name: 'alias', AliasService: 'aliased' } });
    const has = (status: string): Promise<void> =>
      until(async () => (await there.json<Record<string, Row>>('GET agent/checks')).alias?.Status === status);
    await has('warning');
    await there.ok('PUT agent/check/fail/target');
    await has('critical');
    await there.ok('PUT agent/check/pass/target');
    await has('passing');
    expect((await there.json<Record<string, Row>>('GET agent/checks')).alias).toMatchObject({ Type: 'alias' });
  });

  test('http 9: an alias of a node', async () => {
    const Check = { Name: 'there', Status: 'warning' };
    await wire.ok('PUT catalog/register', { body: { Node: 'ext', Address: '10.0.0.9', Check } });
    await register({ Name: 'alias-node', AliasNode: 'ext' });
    await becomes('alias-node', { Status: 'warning' });
  });

  test.each([
    ['GRPC', { GRPC: '127.0.0.1:1/web', GRPCUseTLS: false }, 'grpc'],
    ['H2PING', { H2PING: '127.0.0.1:1', H2PingUseTLS: false }, 'h2ping'],
    ['OSService', { OSService: 'no-such-unit.service' }, 'os_service'],
    ['Docker', { DockerContainerID: 'no-such-container', Shell: '/bin/sh', Args: ['true'] }, 'docker'],
  ])('http 9: %s is known, and critical where nothing answers', async (Name, kind, type) => {
    await register({ Name, ...kind, Interval: '10ms', Timeout: '1s' });
    await becomes(Name, { Status: 'critical', Type: type, Output: /\w/ });
  });

  test('http 9: DeregisterCriticalServiceAfter is kept, and taken with less than a minute', async () => {
    const Check = { CheckID: 'reaped', TTL: '10m', DeregisterCriticalServiceAfter: '1s' };
    expect(await wire.ok('PUT agent/service/register', { body: { Name: 'reaped', Check } })).toMatchObject({
      text: '',
    });
    expect(await check('reaped')).toMatchObject({ Status: 'critical' });
  });
});

describe('where scripts are off', () => {
  const script = { Name: 'x', Args: ['true'], Interval: '10s' };

  test('http 9: through the API is refused, with what to do', async () => {
    await using closed = await ConsulAgent.start({ flags: ['-dev'], configuration: { node_name: 'closed' } });
    using there = new Wire(closed.url);
    for (const body of [script, { Name: 'x', Script: 'true', Interval: '10s' }]) {
      const reply = await there.ask('PUT agent/check/register', { body });
      expect(reply).toMatchObject({ status: 400, text: expect.stringContaining('Scripts are disabled on this agent') });
      expect(reply.text).toMatch(/enable_script_checks/);
    }
    expect(await there.json('GET agent/checks')).toEqual({});
  });

  test('http 9: of local files run, remote ones say so', async () => {
    const service = { name: 'local', check: { script: 'echo of the file', interval: '10s' } };
    const configuration = { node_name: 'local', enable_local_script_checks: true, service };
    await using local = await ConsulAgent.start({ flags: ['-dev'], configuration });
    using there = new Wire(local.url);
    await until(async () => {
      const checks = await there.json<Record<string, Row>>('GET agent/checks');
      return checks['service:local']?.Status === 'passing' && checks['service:local'].Output === 'of the file\n';
    });
    const reply = await there.ask('PUT agent/check/register', { body: script });
    expect(reply).toMatchObject({
      status: 400,
      text: expect.stringMatching(/Scripts are disabled on this agent from remote calls; .*enable_script_checks/),
    });
  });
});
