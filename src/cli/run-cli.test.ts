import { describe, expect, test } from 'vitest';
import { FakeHost, run } from './testing.ts';
import { runCli } from './run-cli.ts';

const SET = 'PUT /v2/datastores/A';

describe('runCli() on usage', () => {
  test.each([
    ['servce:list', 'error CLI_UNKNOWN_COMMAND: unknown command "servce:list"', 'did you mean "service:list"?'],
    ['service list', 'unknown command "service"', 'did you mean "service:list"?'],
    ['kv', 'unknown command "kv"', 'it is one of kv:get, kv:put, kv:delete, kv:list'],
    ['zzzzzzzz', 'unknown command', 'drover help lists them'],
    ['constructor', 'unknown command', 'drover help lists them'],
    ['help nothing', 'unknown command "nothing"', 'drover help'],
    ['datastore:list --reveel', 'error CLI_USAGE: unknown option "--reveel"', 'did you mean --reveal?'],
    ['datastore:list --frobnicate', 'unknown option "--frobnicate"', 'drover datastore:list --help'],
    ['service:show', 'missing required argument "id"', '--help'],
    ['service:apply', 'missing required argument "path"', '--help'],
    ['datastore:set A', 'missing required argument "value"', '--help'],
    ['version 3', 'too many arguments', '--help'],
    ['datastore:set A v --wait=soon', '--wait: expected a duration such as 30s or 1m30s, found "soon"', ''],
    ['datastore:set A v --wait -5s', 'unknown option "-5s"', ''],
    ['datastore:set A v --wait=-5s', 'expected a duration', ''],
    ['datastore:set A v --wait soon', 'too many arguments', ''],
    ['datastore:set A v --wait 5', 'expected a duration', ''],
    ['env www --format toml', '--format: expected shell, dotenv, json, found "toml"', ''],
    ['env www --format dotenvv', 'expected shell', 'did you mean dotenv?'],
    ['env www --json --format shell', '--json and --format shell exclude each other', ''],
    ['kv:put a 1 --cas x', '--cas: expected a whole number, found "x"', ''],
    ['kv:put a 1 --cas -1', '--cas: expected a whole number', ''],
    ['agent --http-port web', '--http-port: expected a port number, found "web"', ''],
    ['agent --http-port 65536', 'expected a port number', ''],
    ['agent -dns-port=x', '--dns-port: expected a port number', ''],
    ['agent --log-level loud', '--log-level: expected trace, debug', ''],
    ['node:maintenance maybe', 'expected on or off, found "maybe"', ''],
    ['trace r0', '"r0" is not a revision', '57 or r57'],
    ['trace 1e3', 'is not a revision', ''],
    ['dns:resolve a --type MX', '--type: expected A, AAAA', ''],
    ['exec www', 'there is no command after --', 'drover exec SERVICE -- COMMAND'],
    ['exec www ls -l', 'unknown option "-l"', 'put -- before the command'],
    ['exec www ls', 'too many arguments', ''],
    ['exec www --restart --pin -- ls', '--restart and --pin exclude each other', ''],
    ['kv:delete . --recurse', 'no URL can carry the key', ''],
    ['version --http-addr unix:///x', '--http-addr is not the address of an agent', ''],
  ])('exits 2 and asks nobody when given %j', async (words, message, hint) => {
    const { exit, stdout, stderr, requests } = await run(words);
    expect(stderr).toContain(message);
    expect(stderr).toContain(hint);
    expect({ exit, stdout, requests }).toEqual({ exit: 2, stdout: '', requests: [] });
  });

  test.each([['kv:get'], ['kv:put'], ['kv:delete']])('%s refuses an empty key', async (name) => {
    const words = name === 'kv:put' ? [name, '', 'v'] : [name, ''];
    expect(await run(words)).toMatchObject({ exit: 2, stdout: '', requests: [] });
  });

  test('says errors as JSON when asked to, also of the command line itself', async () => {
    for (const words of ['servce:list --json', 'datastore:list --reveel -json', 'service:show --json']) {
      const { stderr, stdout } = await run(words);
      const { error } = JSON.parse(stderr) as { error: { code: string; message: string; hint: string } };
      expect(error.code).toMatch(/^CLI_/);
      expect(error.hint).not.toBe('');
      expect(stdout).toBe('');
    }
  });
});

describe('runCli() on options', () => {
  test.each([
    [['--wait'], '30000ms'],
    [['--wait=3s'], '3000ms'],
    [['--wait', '3s'], '3000ms'],
    [['--wait', '1m'], '60000ms'],
    [['-wait=250ms'], '250ms'],
    [['--wait-provisions'], '30000ms&provisions=true'],
    [['--wait', '0s', '--wait-provisions'], '0ms&provisions=true'],
  ])('waits as %j says', async (words, asked) => {
    const answers = {
      [SET]: { json: {}, revision: 57 },
      [`GET /v2/converged/57?wait=${asked}`]: { json: { converged: true, pending: [] } },
    };
    const { exit, stdout, stderr } = await run(['datastore:set', 'A', 'v', ...words], { answers });
    expect({ exit, stdout, stderr }).toEqual({
      exit: 0,
      stdout: 'datastore A is set at r57\n',
      stderr: 'r57 has arrived everywhere\n',
    });
  });

  test('takes the word after --wait for an argument when it is no duration', async () => {
    const answers = {
      [SET]: { json: {}, revision: 2 },
      'GET /v2/converged/2?wait=30000ms': { json: { converged: true, pending: [] } },
    };
    expect(await run('datastore:set --wait A v', { answers })).toMatchObject({ exit: 0 });
  });

  test('takes what follows -- as arguments, whatever it looks like', async () => {
    const { requests } = await run(['kv:put', 'a', '--', '-reveal'], {
      answers: { 'PUT /v1/kv/a': { json: true, revision: 3 } },
    });
    expect(requests).toEqual(['PUT /v1/kv/a -reveal']);
  });

  test('keeps the value of an option as it is, also one that begins with a dash', async () => {
    const answers = {
      'PUT /v2/maintenance?reason=-wait&enable=true': { json: { node: 'n', service: null }, revision: 1 },
    };
    expect(await run(['node:maintenance', 'on', '--reason=-wait'], { answers })).toMatchObject({ exit: 0 });
  });
});

describe('runCli() on the agent', () => {
  const refused = { answers: { 'GET /v2/services': new TypeError('fetch failed') } };

  test('exits 1 with a hint when no agent answers', async () => {
    const { exit, stdout, stderr } = await run('service:list', refused);
    expect({ exit, stdout }).toEqual({ exit: 1, stdout: '' });
    expect(stderr).toBe(
      'error CLI_UNREACHABLE: no drover agent answers at http://127.0.0.1:8500\nhint: start one with npm start or drover agent --dev, or set DROVER_HTTP_ADDR\n',
    );
    expect(JSON.parse((await run('service:list --json', refused)).stderr)).toMatchObject({
      error: { code: 'CLI_UNREACHABLE' },
    });
  });

  test.each([
    [400, 2],
    [401, 5],
    [403, 5],
    [404, 4],
    [409, 6],
    [413, 2],
    [422, 3],
    [500, 1],
    [503, 1],
  ])('exits for status %i with %i, saying what the agent said', async (status, exit) => {
    const error = { code: 'API_X', message: 'it is so', hint: 'mend it' };
    const answers = { 'GET /v2/services': { status, json: { error } } };
    const ran = await run('service:list', { answers });
    expect(ran).toMatchObject({ exit, stdout: '', stderr: 'error API_X: it is so\nhint: mend it\n' });
    expect((await run('service:list --json', { answers })).stderr).toBe(`${JSON.stringify({ error })}\n`);
  });

  test.each([
    [{ status: 404, text: 'Invalid URL path' }],
    [{ status: 200, text: '<html>', type: 'text/html' }],
    [{ status: 302, text: '' }],
    [{ status: 200, text: '{', type: 'application/json' }],
    [{ status: 500, text: '{"error":1}', type: 'application/json' }],
  ])('exits 1 when something else answers: %j', async (answer) => {
    const { exit, stderr } = await run('service:list', { answers: { 'GET /v2/services': answer } });
    expect(exit).toBe(1);
    expect(stderr).toContain('error CLI_NOT_DROVER: what answers at http://127.0.0.1:8500 is not drover');
  });

  test('shows the token it is given, and where to', async () => {
    const host = new FakeHost({
      environment: { DROVER_TOKEN: 't', DROVER_HTTP_ADDR: '10.0.0.1:1' },
      answers: { 'GET /v2/nodes': { json: [] } },
    });
    expect(await runCli(['node:list'], host)).toBe(0);
    expect(host.headers[0]).toEqual({ 'x-consul-token': 't' });
  });

  test('writes out what would steer the terminal', async () => {
    const error = { code: 'X', message: 'a\u001B[2Jb\u202Ec' };
    const { stderr } = await run('service:list', { answers: { 'GET /v2/services': { status: 500, json: { error } } } });
    expect(stderr).toBe('error X: a\\u{1b}[2Jb\\u{202e}c\n');
  });
});

describe('runCli() on help', () => {
  test.each([[''], ['help'], ['--help'], ['-h'], ['-help']])('lists every command for %j', async (words) => {
    const { exit, stdout, stderr } = await run(words);
    expect({ exit, stderr }).toEqual({ exit: 0, stderr: '' });
    expect(stdout).toMatch(/^Usage: drover COMMAND/);
    expect(stdout).toMatch(/^ {2}service:apply +Apply definitions/m);
  });

  test.each([['exec --help'], ['help exec'], ['exec -h'], ['exec -help'], ['exec www --help -- ls']])(
    'shows one command with an example for %j',
    async (words) => {
      const { exit, stdout, requests } = await run(words);
      expect({ exit, requests }).toEqual({ exit: 0, requests: [] });
      expect(stdout).toContain('Usage: drover exec <service> [options] -- <command...>');
      expect(stdout).toContain('Example:\n  drover exec app-www --restart -- node server.js');
    },
  );

  test.each([['version'], ['--version'], ['-v']])('says the version for %j', async (words) => {
    expect((await run(words)).stdout).toMatch(/^drover \d+\.\d+\.\d+ \(Node \d+/);
    expect(JSON.parse((await run(`${words} --json`)).stdout)).toMatchObject({ node: process.versions.node });
  });
});
