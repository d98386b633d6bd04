import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliRegion, DATASTORES, SERVICE_FILES, until } from './cli-region.ts';

const OLD = 'mysql://user:old@db1/app';
const NEW = 'mysql://user:new@db2/app';
let region: CliRegion;
let port: number;
const drover: CliRegion['drover'] = (words, input) => region.drover(words, input);

/** Runs a command that must succeed, and gives its data. */
async function data(words: string | readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await drover(words, input);
  expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

async function json(words: string): Promise<unknown> {
  return JSON.parse(await data(`${words} --json`));
}

const lines = async (file: string): Promise<string[]> =>
  (await readFile(region.path(file), 'utf8').catch(() => '')).split('\n').filter(Boolean);

beforeAll(async () => {
  region = await CliRegion.start();
});
afterAll(() => region[Symbol.asyncDispose]());

describe('definitions and datastores', () => {
  test('service:apply takes the documents’ folder, warns on stderr, and waits', async () => {
    const dry = await drover(['service:apply', SERVICE_FILES, '--dry-run']);
    expect(dry).toMatchObject({ code: 0, stdout: 'would apply api, app-www, elasticsearch; nothing is changed\n' });
    expect(await json('service:list')).toEqual([]);
    const { code, stdout, stderr } = await drover(['service:apply', SERVICE_FILES]);
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: expect.stringMatching(/^applied api, app-www, elasticsearch at r\d+\n$/),
    });
    expect(stderr).toContain('warning: app-www requires PRIMARY_DATABASE_URL, which nobody in default provides');
  });

  test('env exits 3 and names what is missing', async () => {
    const { code, stdout, stderr } = await drover('env app-www');
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain(
      'ENVIRONMENT_UNRESOLVED: app-www requires what is not there: PRIMARY_DATABASE_URL is missing',
    );
    const asJson = await drover('exec app-www --json -- true');
    expect(asJson.code).toBe(3);
    expect(JSON.parse(asJson.stderr)).toMatchObject({ error: { code: 'ENVIRONMENT_UNRESOLVED' } });
  });

  test('a broken definition exits 2 with its place, and nothing is applied', async () => {
    await writeFile(region.path('broken.json'), '{\n  "id": "broken"\n  "command": true\n}\n');
    const { code, stdout, stderr } = await drover([
      'service:apply',
      SERVICE_FILES,
      region.path('broken.json'),
      '--wait',
    ]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/error DEFINITION_SYNTAX: .*broken\.json:3:3: expected ','/);
  });

  test('datastore:* set, list, import and remove', async () => {
    expect(await data('datastore:set PRIMARY_DATABASE_URL -', `${OLD}\n`)).toMatch(
      /^datastore PRIMARY_DATABASE_URL is set at r\d+\n$/,
    );
    expect(await data('datastore:list')).not.toContain('old');
    expect(await json('datastore:list --reveal')).toMatchObject([{ name: 'PRIMARY_DATABASE_URL', value: OLD }]);
    await data(['datastore:import', DATASTORES]);
    await data('datastore:set SPARE x --region aws');
    expect(await drover('datastore:remove SPARE')).toMatchObject({ code: 4, stdout: '' });
    await data('datastore:remove SPARE --region aws');
    expect(await drover('datastore:set 1BAD x')).toMatchObject({ code: 2, stdout: '' });
  });

  test('service:show and service:remove', async () => {
    expect(await data('service:show api')).toContain('required by: app-www');
    expect(await drover('service:show apii')).toMatchObject({
      code: 4,
      stdout: '',
      stderr: expect.stringContaining('did you mean "api"?'),
    });
    const spare = region.path('spare.json');
    await writeFile(spare, '{"id": "spare", "status": "/"}');
    await data(['service:apply', spare]);
    expect(await data('service:remove spare')).toMatch(/^definition spare is removed at r\d+\n$/);
    expect((await drover('service:remove spare')).code).toBe(4);
  });
});

describe('consuming', () => {
  beforeAll(async () => {
    await data(`datastore:set PRIMARY_DATABASE_URL ${OLD}`);
    port = await region.registerApi();
    await until(async () => (await drover('env app-www --ready')).code === 0);
  });

  test('env prints secrets only when they are revealed', async () => {
    expect(await data('env app-www')).toContain('# DATABASE_URL is secret');
    expect(await data('env app-www --reveal')).toContain(`export DATABASE_URL='${OLD}'`);
    expect(JSON.parse(await data('env app-www --reveal --format json'))).toMatchObject({
      DATABASE_URL: OLD,
      ENV: 'production',
    });
    expect((await drover('env nothing')).code).toBe(4);
  });

  test('exec runs a command in it: input, output, variables, exit status', async () => {
    const script = 'cat; echo "$ENV $DATABASE_URL $KEPT"; echo said >&2; exit 7';
    const { child, ended } = region.start(['exec', 'app-www', '--', 'sh', '-c', script], {
      ENV: 'inherited',
      KEPT: 'kept',
    });
    child.stdin?.end('typed\n');
    expect(await ended).toEqual({ code: 7, signal: null, stdout: `typed\nproduction ${OLD} kept\n`, stderr: 'said\n' });
  });

  test.each([
    ['exec app-www -- /nonexistent', 127],
    ['exec app-www -- /etc/passwd', 126],
    ['exec app-www -- sh -c kill${IFS}-9${IFS}$$', 137],
    ['exec nothing -- true', 4],
    ['exec app-www -- npx -- --json', 0],
  ])('%s', async (words, code) => {
    const list = words.includes('npx')
      ? ['exec', 'app-www', '--', 'sh', '-c', 'test "$*" = "-- --json"', 'sh', '--', '--json']
      : words.split(' ');
    expect((await drover(list)).code).toBe(code);
  });

  test('exec --restart starts it again when a value changes, and passes signals on', async () => {
    const script = 'trap "echo reloaded >> runs" HUP; echo "$DATABASE_URL" >> runs; while :; do sleep 0.05; done';
    const { child, ended } = region.start(['exec', 'app-www', '--restart', '--', 'sh', '-c', script]);
    await until(async () => (await lines('runs')).length === 1);
    await data(`datastore:set UNRELATED ${NEW}`);
    await data(`datastore:set PRIMARY_DATABASE_URL ${NEW}`);
    await until(async () => (await lines('runs')).length === 2);
    expect(await lines('runs')).toEqual([OLD, NEW]);
    child.kill('SIGHUP');
    await until(async () => (await lines('runs')).at(-1) === 'reloaded');
    child.kill('SIGTERM');
    expect((await ended).code).toBe(143);
  });

  test('exec without --restart keeps what it began with', async () => {
    const script = 'echo "$DATABASE_URL" >> pinned; read line; echo "$DATABASE_URL" >> pinned';
    const { child, ended } = region.start(['exec', 'app-www', '--pin', '--', 'sh', '-c', script]);
    await until(async () => (await lines('pinned')).length === 1);
    await data(`datastore:set PRIMARY_DATABASE_URL ${OLD}`);
    child.stdin?.end('\n');
    expect((await ended).code).toBe(0);
    expect(await lines('pinned')).toEqual([NEW, NEW]);
  });

  test('exec --ready waits for what is required', async () => {
    await data('node:maintenance on --service api');
    expect((await drover('exec app-www --ready=300ms -- true')).code).toBe(3);
    const waiting = region.start('exec app-www --ready 20s -- echo there');
    await data('node:maintenance off --service api --wait');
    expect(await waiting.ended).toMatchObject({ code: 0, stdout: 'there\n' });
  });
});

describe('provisioning', () => {
  test('a node without a provision command has no listener, and the hint says so', async () => {
    for (const command of ['listener:status', 'listener:on', 'listener:off', 'provision']) {
      const { code, stdout, stderr } = await drover(`${command} --node bare`);
      expect({ code, stdout }).toEqual({ code: 4, stdout: '' });
      expect(stderr).toContain('hint: give the node a provision.command');
    }
  });

  test('provision waits for the end, and tells how it went', async () => {
    expect(await data('provision')).toMatch(/^the provision succeeded after .*because of .*provision/);
    await writeFile(region.path('provision'), 'exit 3\n');
    const failed = await drover('provision');
    expect(failed).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('error CLI_PROVISION_FAILED: the provision failed: exit 3'),
    });
    await writeFile(region.path('provision'), 'exit 0\n');
    expect(await json('provision')).toMatchObject({ succeeded: true, exitCode: 0 });
  });

  test('Ctrl-C ends the waiting, not the provision', async () => {
    await writeFile(region.path('provision'), `sleep 1; echo done > ${region.path('finished')}\n`);
    const { child, ended } = region.start('provision');
    await until(async () => ((await json('listener:status')) as { running: boolean }).running);
    child.kill('SIGINT');
    expect(await ended).toMatchObject({
      code: 130,
      stdout: '',
      stderr: 'the provision goes on: drover listener:status shows it\n',
    });
    await until(async () => (await lines('finished')).length === 1);
    await writeFile(region.path('provision'), 'exit 0\n');
  });

  test('listener:off holds what is queued, listener:on starts it', async () => {
    expect(await data('listener:off')).toMatch(/^the listener is off/);
    expect(await drover('provision')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('hint: drover listener:on starts it'),
    });
    expect(await json('listener:on')).toMatchObject({ enabled: true });
    await until(async () => !((await json('listener:status')) as { queued: boolean }).queued);
  });
});

describe('registry', () => {
  test('node:list, node:show and node:maintenance', async () => {
    expect(await data('node:list')).toMatch(
      /^node +address +federation +status +services\napp +127\.0\.0\.1 +default +up/,
    );
    expect(await data('node:show bare')).toContain('bare (127.0.0.1) is up');
    expect((await drover('node:show nobody')).code).toBe(4);
    expect(await data('node:maintenance on --node bare --reason test --wait')).toMatch(
      /^node bare is in maintenance at r\d+\n$/,
    );
    expect(JSON.parse(await data('node:maintenance off --node bare --wait=3s --json'))).toMatchObject({
      node: 'bare',
      enabled: false,
      converged: true,
    });
  });

  test('kv:put, kv:get, kv:list and kv:delete, byte by byte', async () => {
    expect(await data('kv:put a/b - --wait', 'one\ntwo\n')).toMatch(/^"a\/b" is set at r\d+\n$/);
    expect(await data('kv:get a/b')).toBe('one\ntwo\n');
    const { ModifyIndex } = (await json('kv:get a/b')) as { ModifyIndex: number };
    expect((await drover('kv:put a/b x --cas 0')).code).toBe(6);
    await data(`kv:put a/b x --cas ${ModifyIndex}`);
    await data(['kv:put', 'a/ü ?&%', 'odd']);
    expect(await data('kv:list a/')).toBe('a/b\na/ü ?&%\n');
    await data('kv:delete a/b');
    expect(await drover('kv:get a/b')).toMatchObject({ code: 4, stdout: '' });
    await data('kv:delete a/ --recurse');
    expect(await json('kv:list')).toEqual([]);
  });

  test('dns:resolve asks the agent', async () => {
    expect(await data('dns:resolve bare.node.consul')).toBe('127.0.0.1\n');
    expect(await data('dns:resolve api.service.consul --type SRV')).toMatch(new RegExp(`^1 1 ${port} \\S+consul\\n$`));
    expect(await drover('dns:resolve nothing.service.consul')).toMatchObject({ code: 4, stdout: '' });
  });

  test('trace shows where a change arrived', async () => {
    const { revision } = (await json('datastore:set PRIMARY_DATABASE_URL mysql://x')) as { revision: number };
    await drover(`datastore:set OTHER x --wait`);
    expect(await data(`trace r${revision}`)).toMatch(new RegExp(`^r${revision} .*\\nit has arrived`));
    expect(await json(`trace ${revision}`)).toMatchObject({
      revision,
      consumers: expect.arrayContaining([expect.objectContaining({ kind: 'environment', node: 'app' })]),
    });
    expect((await drover('trace soon')).code).toBe(2);
  });

  test('doctor finds what is wrong', async () => {
    const { code, stdout } = await drover('doctor');
    expect(code).toBe(1);
    expect(stdout).toContain('wrong  service elasticsearch: no instances, required by api');
  });
});

describe('the rest', () => {
  test('version and help need no agent', async () => {
    const away = { DROVER_HTTP_ADDR: 'http://127.0.0.1:1' };
    expect((await region.start('version', away).ended).stdout).toMatch(/^drover \d/);
    expect((await region.start('help', away).ended).stdout).toContain('service:apply');
    expect(await region.start('service:list', away).ended).toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringContaining('CLI_UNREACHABLE'),
    });
  });

  test('a reader that goes away early ends it without a word', async () => {
    const { child, ended } = region.start('help');
    child.stdout?.destroy();
    expect((await ended).stderr).toBe('');
  });

  test('leave stops the agent', async () => {
    expect(await data('leave')).toBe('the agent leaves with app, bare\n');
    await until(async () => (await drover('node:list')).code === 1);
  });
});
