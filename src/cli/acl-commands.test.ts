import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { agentToken } from './agent-address.ts';
import { FakeHost, run } from './testing.ts';
import { runCli } from './run-cli.ts';

const ACCESSOR = '7d1f0a9c-0b1e-4c55-9e2e-0123456789ab';
const SECRET = '5e6b2d4e-8c35-4b0e-9a41-0123456789ab';
const TOKEN = { AccessorID: ACCESSOR, SecretID: SECRET };

async function inDirectory<T>(task: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(path.join(tmpdir(), 'drover-acl-'));
  try {
    return await task(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

describe('acl:why', () => {
  const asked = `GET /v2/access/why?token=${ACCESSOR}&resource=key&name=a%3Ab%2Fc&level=write`;
  const why = { accessor: ACCESSOR, management: false, defaultPolicy: 'deny' };

  test('says which rule lets a token', async () => {
    const rule = { selector: 'key_prefix "a"', policy: 'write', from: 'policy ops', line: 3, column: 1 };
    const ran = await run(`acl:why ${ACCESSOR} write key:a:b/c`, {
      answers: { [asked]: { json: { ...why, allowed: true, rule } } },
    });
    expect(ran).toMatchObject({ exit: 0, requests: [asked] });
    expect(ran.stdout).toBe(`allowed: key_prefix "a" = write (policy ops, 3:1) of token ${ACCESSOR}\n`);
  });

  test('ends with 5 when it is denied, and says why', async () => {
    const ran = await run(`acl:why ${ACCESSOR} write key:a:b/c`, {
      answers: { [asked]: { json: { ...why, allowed: false, rule: null } } },
    });
    expect(ran.exit).toBe(5);
    expect(ran.stdout).toContain('no rule of token');
    expect(ran.stdout).toContain('the default policy is deny');
  });

  test('of itself says that it is a management token', async () => {
    const answers = {
      'GET /v2/access/why?token=self&resource=operator&name=&level=read': {
        json: { ...why, allowed: true, management: true, rule: null },
      },
    };
    expect(await run('acl:why self read operator', { answers })).toMatchObject({
      exit: 0,
      stdout: expect.stringContaining('management token'),
    });
    expect(await run('acl:why self read 7:x')).toMatchObject({ exit: 2, requests: [] });
  });
});

describe('acl:bootstrap', () => {
  const put = 'PUT /v1/acl/bootstrap';
  const refused = { status: 403, text: 'Permission denied: ACL bootstrap no longer allowed (reset index: 13)' };

  test('shows the secret once', async () => {
    const ran = await run('acl:bootstrap', { answers: { [put]: { json: TOKEN } } });
    expect(ran).toMatchObject({ exit: 0, stdout: `AccessorID  ${ACCESSOR}\nSecretID    ${SECRET}\n` });
    expect(ran.stderr).not.toContain(SECRET);
  });

  test('is denied a second time', async () => {
    expect(await run('acl:bootstrap', { answers: { [put]: refused } })).toMatchObject({
      exit: 5,
      stdout: '',
      requests: [put],
    });
    expect(await run('acl:bootstrap --data-dir /x')).toMatchObject({ exit: 2, requests: [] });
  });

  test('with --reset leaves the index in the data directory and asks again', async () => {
    await inDirectory(async (directory) => {
      const answers = { [put]: [refused, { json: TOKEN }] };
      const ran = await run(`acl:bootstrap --reset --data-dir ${directory}`, { answers });
      expect(ran).toMatchObject({ exit: 0, requests: [put, put] });
      expect(await readFile(path.join(directory, 'acl-bootstrap-reset'), 'utf8')).toBe('13');
    });
  });

  test('with --reset says where it may not', async () => {
    const ran = await run('acl:bootstrap --reset --data-dir /nowhere/at/all', { answers: { [put]: refused } });
    expect(ran.exit).toBe(5);
    expect(ran.stderr).toContain('cannot leave the reset index in /nowhere/at/all');
  });
});

describe('tokens', () => {
  test('acl:token-create sends what it is given', async () => {
    const answers = {
      'GET /v2/status': { json: { region: 'aws' } },
      'PUT /v1/acl/token': { json: TOKEN, revision: 9 },
    };
    const ran = await run('acl:token-create --policy a,b --role r --service web --for-node n1 --ttl 8h', { answers });
    expect(ran.exit).toBe(0);
    expect(JSON.parse(ran.requests[1]?.slice('PUT /v1/acl/token '.length) ?? '')).toEqual({
      Policies: [{ Name: 'a' }, { Name: 'b' }],
      Roles: [{ Name: 'r' }],
      ServiceIdentities: [{ ServiceName: 'web' }],
      NodeIdentities: [{ NodeName: 'n1', Datacenter: 'aws' }],
      Description: '',
      ExpirationTTL: '8h',
    });
    expect(ran.stdout).toContain(SECRET);
  });

  test('acl:token-list shows no secret, also in JSON', async () => {
    const token = {
      ...TOKEN,
      Description: 'd',
      Policies: [{ Name: 'ops' }],
      Roles: [],
      ServiceIdentities: [{ ServiceName: 'web' }],
      NodeIdentities: [],
    };
    const answers = { 'GET /v1/acl/tokens': { json: [token] } };
    const plain = await run('acl:token-list', { answers });
    expect(plain.stdout).toContain(`${ACCESSOR}  ops, service web`);
    const json = await run('acl:token-list --json', { answers });
    expect(plain.stdout + json.stdout).not.toContain(SECRET);
  });

  test('acl:token-delete deletes it', async () => {
    const path_ = `DELETE /v1/acl/token/${ACCESSOR}`;
    const ran = await run(`acl:token-delete ${ACCESSOR}`, { answers: { [path_]: { json: true, revision: 7 } } });
    expect(ran).toMatchObject({ exit: 0, requests: [path_], stderr: `token ${ACCESSOR} is gone at r7\n` });
  });
});

describe.each(['policy', 'role'] as const)('%s', (kind) => {
  const find = `GET /v1/acl/${kind}/name/ops`;
  const write = kind === 'policy' ? ['acl:policy-write', 'ops', '-'] : ['acl:role-write', 'ops', '--policy', 'p'];

  test('is made when it is new, and replaced when it is not', async () => {
    const made = await run(write, {
      input: 'operator = "read"\n',
      answers: { [find]: { status: 404, text: 'x' }, [`PUT /v1/acl/${kind}`]: { json: {}, revision: 4 } },
    });
    expect(made).toMatchObject({ exit: 0, stderr: `${kind} ops is made at r4\n` });
    const replaced = await run(write, {
      input: '',
      answers: { [find]: { json: { ID: 'id' } }, [`PUT /v1/acl/${kind}/id`]: { json: {}, revision: 5 } },
    });
    expect(replaced).toMatchObject({ exit: 0, stderr: `${kind} ops is replaced at r5\n` });
  });

  test('is deleted by name; what is not there ends with 4', async () => {
    const gone = await run(`acl:${kind}-delete ops`, {
      answers: { [find]: { json: { ID: 'id' } }, [`DELETE /v1/acl/${kind}/id`]: { json: true, revision: 6 } },
    });
    expect(gone).toMatchObject({ exit: 0, stderr: `${kind} ops is gone at r6\n` });
    const missing = await run(`acl:${kind}-delete ops`, { answers: { [find]: { status: 404, text: 'x' } } });
    expect(missing).toMatchObject({ exit: 4, requests: [find] });
  });
});

test('acl:policy-write says where the rules are wrong', async () => {
  await inDirectory(async (directory) => {
    const file = path.join(directory, 'ops.hcl');
    await writeFile(file, 'key "a" {\n policy = "x" }');
    const text = 'Failed to parse ACL rules: 2:2: "x" is no policy: one of deny, read, list, write';
    const answers = {
      'GET /v1/acl/policy/name/ops': { status: 404, text: 'x' },
      'PUT /v1/acl/policy': { status: 400, text },
    };
    const ran = await run(['acl:policy-write', 'ops', file], { answers });
    expect(ran.exit).toBe(2);
    expect(ran.stderr).toContain(`rules: ${file}:2:2: "x" is no policy`);
    expect(await run(['acl:policy-write', 'ops', `${file}x`])).toMatchObject({ exit: 2, requests: [] });
  });
});

test('acl:policy-list, -show and acl:role-list print what there is', async () => {
  const answers = {
    'GET /v1/acl/policies': { json: [{ Name: 'ops', Description: 'd' }] },
    'GET /v1/acl/policy/name/ops': { json: { Name: 'ops', Rules: 'operator = "read"\nacl = "read"\n' } },
    'GET /v1/acl/roles': { json: [{ Name: 'r', Description: '', Policies: [{ Name: 'ops' }] }] },
  };
  expect((await run('acl:policy-list', { answers })).stdout).toContain('ops     d');
  expect((await run('acl:policy-show ops', { answers })).stdout).toBe('operator = "read"\nacl = "read"\n');
  expect((await run('acl:role-list', { answers })).stdout).toContain('r     ops');
});

describe('the token', () => {
  test('comes from a file that is named, else from the environment, else from a file that that names', async () => {
    await inDirectory(async (directory) => {
      const file = path.join(directory, 'token');
      await writeFile(file, `${SECRET}\nsecond line\n`);
      expect(agentToken({ DROVER_TOKEN: 'other' }, file)).toBe(SECRET);
      expect(agentToken({ DROVER_TOKEN: 'a', CONSUL_HTTP_TOKEN: 'b', DROVER_TOKEN_FILE: file })).toBe('a');
      expect(agentToken({ CONSUL_HTTP_TOKEN_FILE: file })).toBe(SECRET);
      expect(agentToken({})).toBeUndefined();
      const host = new FakeHost({ answers: { 'GET /v1/acl/roles': { json: [] } } });
      expect(await runCli(['acl:role-list', '--token-file', file], host)).toBe(0);
      expect(host.headers[0]?.['x-consul-token']).toBe(SECRET);
    });
  });

  test('is not shown by what is wrong with it', async () => {
    await inDirectory(async (directory) => {
      const file = path.join(directory, 'token');
      await writeFile(file, 'hunter2 and more\n');
      const ran = await run(['acl:role-list', '--token-file', file]);
      expect(ran).toMatchObject({ exit: 2, requests: [] });
      expect(ran.stderr).not.toContain('hunter2');
      expect((await run(['acl:role-list', '--token-file', `${file}x`])).stderr).toContain('cannot read a token');
    });
  });
});
