import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireComponent } from '../require-component.ts';
import { ConsulAgent } from './consul-agent.ts';
import { runProgram } from './run-program.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
const CONFIGURATION = {
  node_name: 'n1',
  acl: { enabled: true, default_policy: 'deny', enable_token_persistence: true },
  services: [{ name: 'web', port: 80 }],
};
const RULES = `
key_prefix "app/" {
  policy = "write"
}
service "web" {
  policy = "write"
}
node_prefix "" {
  policy = "read"
}
agent "n1" {
  policy = "write"
}`;

requireComponent('curl')('an agent that is closed', () => {
  let agent: ConsulAgent;
  let root = '';
  let secret = '';
  let accessor = '';

  beforeAll(async () => {
    agent = await ConsulAgent.start({ flags: ['-server', '-timing', 'local'], configuration: CONFIGURATION });
  }, 60_000);
  afterAll(() => agent?.[Symbol.asyncDispose]());

  /** `METHOD path`, as curl sends it; status and body. */
  async function curl(call: string, token = '', body?: unknown): Promise<{ status: number; text: string }> {
    const [method = '', url = ''] = call.split(' ');
    const parameters = ['-sS', '-w', '\n%{http_code}', '-X', method, `${agent.url}${url}`, '--config', '-'];
    const header = token === '' ? '' : `header = "X-Consul-Token: ${token}"\n`;
    const data = body === undefined ? '' : `data-raw = ${JSON.stringify(JSON.stringify(body))}\n`;
    const { stdout } = await runProgram('curl', parameters, { input: header + data });
    const end = stdout.lastIndexOf('\n');
    return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
  }

  /** A command line with a token in its environment. */
  function drover(words: readonly string[], token = root, input = '') {
    const env = { DROVER_HTTP_ADDR: agent.url, ...(token === '' ? {} : { DROVER_TOKEN: token }) };
    return runProgram(DROVER, words, { env, input });
  }

  test('denies everything to whoever shows no token, and answers who asks whether it is well', async () => {
    expect((await curl('GET /v1/status/leader')).status).toBe(200);
    expect((await curl('GET /v2/status')).status).toBe(200);
    expect((await curl('GET /v1/agent/self')).text).toMatch(
      /^Permission denied: token with AccessorID '0{8}-.*2' lacks/,
    );
    expect((await curl('GET /v1/catalog/nodes')).text).toBe('[]');
    expect((await curl('PUT /v1/kv/app/a', '', 'x')).status).toBe(403);
    expect((await curl('GET /v2/services')).text).toBe('[]');
    const denied = await drover(['datastore:set', 'DB', 'x'], '');
    expect(denied.code).toBe(5);
    expect(denied.stderr).toContain('ACCESS_DENIED');
  });

  test('is bootstrapped once from the command line', async () => {
    const made = await drover(['acl:bootstrap', '--json'], '');
    expect(made.code, made.stderr).toBe(0);
    root = (JSON.parse(made.stdout) as { SecretID: string }).SecretID;
    expect((await curl('GET /v1/acl/tokens', root)).status).toBe(200);
    expect((await drover(['acl:bootstrap'], '')).code).toBe(5);
  });

  test('takes policies and tokens, and tells which rule decides', async () => {
    const written = await drover(['acl:policy-write', 'ops', '-'], root, RULES);
    expect(written.code, written.stderr).toBe(0);
    const made = await drover(['acl:token-create', '--policy', 'ops', '--json']);
    ({ SecretID: secret, AccessorID: accessor } = JSON.parse(made.stdout) as { SecretID: string; AccessorID: string });
    expect((await curl('PUT /v1/kv/app/a', secret, 'x')).text).toBe('true');
    expect((await curl('PUT /v1/kv/other', secret, 'x')).status).toBe(403);
    expect((await curl('GET /v1/health/service/web', secret)).text).toContain('"Service":"web"');
    expect((await curl('GET /v1/catalog/services', secret)).text).toBe('{"web":[]}');
    const why = await drover(['acl:why', accessor, 'write', 'key:app/x']);
    expect([why.code, why.stdout]).toEqual([
      0,
      `allowed: key_prefix "app/" = write (policy ops, 2:1) of token ${accessor}\n`,
    ]);
    expect((await drover(['acl:why', 'self', 'write', 'service:db'], secret)).code).toBe(5);
    const wrong = await drover(['acl:policy-write', 'bad', '-'], root, 'key "a" {\n  polcy = "read"\n}');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('2:3: unknown key "polcy"')]);
  });

  test('lets DNS show what the dns token may', async () => {
    const { dns } = JSON.parse((await curl('GET /v2/status')).text) as { dns: string };
    const [host = '', port = ''] = dns.split(':');
    const ask = async (): Promise<string> => {
      const { stdout } = await runProgram('dig', [
        '+noall',
        '+answer',
        '+tries=1',
        `@${host}`,
        '-p',
        port,
        'web.service.consul',
      ]);
      return stdout.trim();
    };
    expect(await ask()).toBe('');
    expect((await curl('PUT /v1/agent/token/dns', secret, { Token: secret })).status).toBe(200);
    expect(await ask()).toContain('127.0.0.1');
  });

  test('keeps it all over a restart, and no secret where others may read it', async () => {
    await agent.end();
    await agent.begin();
    expect((await curl('GET /v1/kv/app/a?raw', secret)).status).toBe(200);
    expect((await curl('PUT /v1/agent/token/dns', '', { Token: '' })).status).toBe(403);
    const data = path.join(agent.directory, 'data');
    const tokens = path.join(data, 'acl-tokens.json');
    expect((await stat(tokens)).mode & 0o777).toBe(0o600);
    const files = await readdir(data, { recursive: true, withFileTypes: true });
    for (const file of files.filter((one) => one.isFile())) {
      const name = path.join(file.parentPath, file.name);
      if (name !== tokens) expect((await readFile(name, 'latin1')).includes(secret), name).toBe(false);
    }
  });

  test('is bootstrapped again by whoever can write its data directory', async () => {
    const data = path.join(agent.directory, 'data');
    const again = await drover(['acl:bootstrap', '--reset', '--data-dir', data, '--json'], '');
    expect(again.code, again.stderr).toBe(0);
    const other = (JSON.parse(again.stdout) as { SecretID: string }).SecretID;
    expect(other).not.toBe(root);
    expect((await curl('GET /v1/acl/token/self', other)).text).toContain('global-management');
    expect(await readdir(data)).not.toContain('acl-bootstrap-reset');
    await writeFile(path.join(data, 'acl-bootstrap-reset'), '1');
    expect((await curl('PUT /v1/acl/bootstrap')).text).toContain('no longer allowed');
  });

  test('forgets a deleted token at once, also one that waits', async () => {
    const waiting = curl('GET /v1/kv/app/a?index=1000000&wait=1s', secret);
    expect((await drover(['acl:token-delete', accessor])).code).toBe(0);
    expect((await curl('GET /v1/kv/app/a', secret)).text).toBe('ACL not found');
    expect((await waiting).status).toBe(403);
  }, 20_000);
});
