import { describe, expect, test } from 'vitest';
import { run } from '../testing.ts';

const member = (Name: string, Status: number, role = 'consul'): object => ({
  Name,
  Addr: '10.0.0.1',
  Port: 8301,
  Status,
  ProtocolCur: 2,
  Tags: { role, dc: 'dc1', build: '1.22.0:' },
});
const ENTRY = {
  LockIndex: 0,
  Key: 'a/b',
  Flags: 3,
  Value: Buffer.from('x\n').toString('base64'),
  CreateIndex: 1,
  ModifyIndex: 2,
};
const MEMBERS = { 'GET /v1/agent/members': { json: [member('n1', 1), member('n2', 4, 'node')] } };

describe('consul', () => {
  test('consul version says which Consul is spoken, on its first line', async () => {
    const { exit, stdout } = await run('consul version');
    expect(exit).toBe(0);
    expect(stdout.split('\n')[0]).toBe('Consul v1.22.0');
  });

  test.each<[words: string, request: string, json: unknown, stdout: string]>([
    ['consul leave', 'PUT /v1/agent/leave', '', 'Graceful leave complete\n'],
    ['consul reload', 'PUT /v1/agent/reload', '', 'Configuration reload triggered\n'],
    ['consul force-leave -prune n2', 'PUT /v1/agent/force-leave/n2?prune=1', '', ''],
    ['consul join a:1', 'PUT /v1/agent/join/a%3A1', '', 'Successfully joined cluster by contacting 1 nodes.\n'],
    ['consul info', 'GET /v1/agent/self', { Stats: { b: { y: '1', x: '2' }, a: {} } }, 'a:\nb:\n\tx = 2\n\ty = 1\n'],
    ['consul kv put k v', 'PUT /v1/kv/k', true, 'Success! Data written to: k\n'],
    [
      'consul kv put -flags=7 -cas -modify-index=3 k v',
      'PUT /v1/kv/k?flags=7&cas=3',
      true,
      'Success! Data written to: k\n',
    ],
    ['consul kv put -acquire -session=s k', 'PUT /v1/kv/k?acquire=s', true, 'Success! Lock acquired on: k\n'],
    ['consul kv put -release -session=s k', 'PUT /v1/kv/k?release=s', true, 'Success! Lock released on: k\n'],
    ['consul kv delete k', 'DELETE /v1/kv/k', true, 'Success! Deleted key: k\n'],
    ['consul kv delete -recurse a/', 'DELETE /v1/kv/a%2F?recurse=', true, 'Success! Deleted keys with prefix: a/\n'],
    ['consul kv get -datacenter=dc2 a/b', 'GET /v1/kv/a%2Fb?dc=dc2', [ENTRY], 'x\n\n'],
    ['consul kv get -base64 a/b', 'GET /v1/kv/a%2Fb', [ENTRY], 'eAo=\n'],
    ['consul kv get -recurse a', 'GET /v1/kv/a?recurse=', [ENTRY], 'a/b:x\n\n'],
    ['consul kv get -keys a', 'GET /v1/kv/a?keys=&separator=%2F', ['a/b', 'a/c'], 'a/b\na/c\n'],
  ])('%s', async (words, request, json, stdout) => {
    const ran = await run(words, { answers: { [request]: { json } } });
    expect(ran.stderr).toBe('');
    expect(ran).toMatchObject({ exit: 0, stdout });
  });

  test('consul kv get -detailed shows all of an entry', async () => {
    const { stdout } = await run('consul kv get -detailed a/b', { answers: { 'GET /v1/kv/a%2Fb': { json: [ENTRY] } } });
    expect(stdout).toMatch(/^CreateIndex {6}1\nFlags {12}3\nKey {14}a\/b\n.*Session {10}-\nValue {12}x\n/s);
  });

  test('consul members is a table', async () => {
    const { stdout } = await run('consul members', { answers: MEMBERS });
    const [heading, ...rows] = stdout.split('\n');
    expect(heading).toMatch(/^Node +Address +Status +Type +Build +Protocol +DC/);
    expect(rows[0]).toMatch(/^n1 +10\.0\.0\.1:8301 +alive +server +1\.22\.0 +2 +dc1 +default +<all>$/);
    expect(rows[1]).toMatch(/^n2 .*failed +client/);
  });

  test('consul members shows those of a status, and ends with 2 where there is none', async () => {
    expect((await run('consul members -status=fail', { answers: MEMBERS })).stdout).not.toContain('n1');
    expect((await run('consul members -status=left', { answers: MEMBERS })).exit).toBe(2);
  });

  test('consul sends the token it is given', async () => {
    const answers = { 'PUT /v1/agent/reload': { json: '' } };
    expect((await run('consul reload -token=x', { answers })).exit).toBe(0);
  });

  test.each<[words: string, exit: number, text: string]>([
    ['consul kv get nothing', 1, 'Error! No key exists at: nothing'],
    ['consul kv get', 2, 'Missing KEY'],
    ['consul kv get a b', 2, 'Too many arguments'],
    ['consul kv put -cas k v', 2, 'Must specify -modify-index'],
    ['consul kv put -acquire k v', 2, 'Missing -session'],
    ['consul join nowhere', 1, 'Failed to join any nodes'],
    ['consul join', 2, 'At least one address'],
    ['consul force-leave', 2, 'A single node name'],
    ['consul members -status=(', 2, 'no regular expression'],
    ['consul members -bogus', 2, 'flag provided but not defined: -bogus'],
    ['consul catalog nodes', 2, 'drover node:list'],
    ['consul watch', 2, 'Watch type must be specified'],
    ['consul kv export', 2, 'drover kv:list'],
    ['consul kv', 2, 'kv get'],
    ['consul nonsense', 2, 'drover has no "consul nonsense"'],
    ['consul constructor', 2, 'drover has no'],
  ])('%s ends with %i', async (words, exit, text) => {
    const ran = await run(words, { answers: MEMBERS });
    expect(ran.stderr).toContain(text);
    expect(ran.exit).toBe(exit);
  });

  test('consul help lists what there is', async () => {
    expect((await run('consul')).stdout).toContain('force-leave');
    expect((await run('consul kv put -h')).stdout).toContain('Usage: consul kv put');
    expect((await run('consul agent --help')).stdout).toContain('Usage: consul agent');
  });
});
