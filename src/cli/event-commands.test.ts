import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from './testing.ts';

const event = (more: object): object => ({
  ID: 'b54fe110-7af5-cafc-d1fb-afc8ba432b1c',
  Name: 'deploy',
  Payload: 'djQy',
  NodeFilter: '',
  ServiceFilter: '',
  TagFilter: '',
  Version: 1,
  LTime: 57,
  ...more,
});

describe('event:fire', () => {
  test('event:fire sends the payload and the patterns, and says at which revision', async () => {
    const answers = {
      'PUT /v1/event/fire/deploy?node=%5Eweb&service=w&tag=b': { json: event({ LTime: 0 }), revision: 57 },
    };
    const ran = await run('event:fire deploy v42 --node ^web --service w --tag b', { answers });
    expect(ran).toMatchObject({ exit: 0, stderr: '' });
    expect(ran.requests).toEqual(['PUT /v1/event/fire/deploy?node=%5Eweb&service=w&tag=b v42']);
    expect(ran.stdout).toBe('event deploy b54fe110-7af5-cafc-d1fb-afc8ba432b1c at r57\n');
  });

  test('event:fire takes the payload from standard input', async () => {
    const answers = { 'PUT /v1/event/fire/a%2Fb': { json: event({}), revision: 1 } };
    const ran = await run('event:fire a/b -', { answers, input: 'from afar' });
    expect(ran.requests).toEqual(['PUT /v1/event/fire/a%2Fb from afar']);
  });

  test('event:fire shows what the agent says', async () => {
    const text = 'Invalid node filter: missing closing )';
    const answers = { 'PUT /v1/event/fire/x?node=%28': { status: 500, text, type: 'text/plain' } };
    const ran = await run('event:fire x --node (', { answers });
    expect(ran).toMatchObject({ exit: 1, stderr: expect.stringContaining(text) as string });
  });
});

test('event:list shows events on a line each, and no bytes that would do something to a terminal', async () => {
  const escape = Buffer.from('\u{1b}[2J').toString('base64');
  const events = [event({}), event({ Payload: null, LTime: 58 }), event({ Payload: escape, LTime: 59 })];
  const ran = await run('event:list --name deploy', {
    answers: { 'GET /v1/event/list?name=deploy': { json: events } },
  });
  expect(ran.stdout.split('\n')).toEqual([
    'r57  deploy  b54fe110-7af5-cafc-d1fb-afc8ba432b1c  v42',
    'r58  deploy  b54fe110-7af5-cafc-d1fb-afc8ba432b1c',
    'r59  deploy  b54fe110-7af5-cafc-d1fb-afc8ba432b1c  (4 bytes)',
    '',
  ]);
});

describe('watch without a command prints what is', () => {
  test.each([
    ['--type key --key a/b', 'GET /v1/kv/a/b', { json: [{ Key: 'a/b' }] }, { Key: 'a/b' }],
    ['-type=key -key=none', 'GET /v1/kv/none', { status: 404, text: '' }, null],
    ['-type keyprefix -prefix a/', 'GET /v1/kv/a/?recurse=', { status: 404, text: '' }, []],
    ['--type services', 'GET /v1/catalog/services', { json: { web: [] } }, { web: [] }],
    ['--type nodes --datacenter x --stale', 'GET /v1/catalog/nodes?dc=x&stale=', { json: [] }, []],
    ['--type checks --state critical', 'GET /v1/health/state/critical', { json: [] }, []],
    ['--type checks --service web', 'GET /v1/health/checks/web', { json: [] }, []],
    [
      '-type service -service w -tag b -passingonly=true',
      'GET /v1/health/service/w?tag=b&passing=1',
      { json: [1] },
      [1],
    ],
    ['-type service -service w -passingonly=false', 'GET /v1/health/service/w', { json: [] }, []],
    ['--type event --name d', 'GET /v1/event/list?name=d', { json: [event({})] }, [event({})]],
  ])('watch %s', async (words, request, answer, printed) => {
    const ran = await run(`watch ${words}`, { answers: { [request]: answer } });
    expect(ran).toMatchObject({ exit: 0, stderr: '', requests: [request] });
    expect(JSON.parse(ran.stdout)).toEqual(printed);
  });

  test('consul watch prints it as Consul does', async () => {
    const answers = { 'GET /v1/health/service/w?tag=a&tag=b': { json: [{ a: 1 }] } };
    const ran = await run('consul watch -type=service -service=w -tag=a -tag=b', { answers });
    expect([ran.exit, ran.stdout]).toEqual([0, '[\n    {\n        "a": 1\n    }\n]\n']);
  });
});

test.each([
  ['watch', 2, 'Watch type must be specified'],
  ['watch --type connect_roots', 2, 'which drover leaves out'],
  ['watch --type keys', 2, 'expected one of key, keyprefix'],
  ['watch --type key', 2, 'needs "key"'],
  ['watch --type nodes --key a', 2, '"key" means nothing for a watch of type "nodes"'],
  ['watch --type checks --service a --state any', 2, 'not both'],
  ['watch --typ key', 2, 'did you mean --type?'],
])('%s ends with %i', async (words, exit, text) => {
  const ran = await run(words);
  expect(ran.stderr).toContain(text);
  expect([ran.exit, ran.requests]).toEqual([exit, []]);
});

test('watch says at once what cannot be asked', async () => {
  const denied = { 'GET /v1/kv/a': { status: 403, text: 'Permission denied' } };
  expect(await run('watch --type key --key a true', { answers: denied })).toMatchObject({
    exit: 1,
    stderr: expect.stringContaining('cannot watch key a: 403 Permission denied') as string,
  });
  const gone = { 'GET /v1/kv/a': new Error('nobody') };
  expect((await run('watch --type key --key a true', { answers: gone })).exit).toBe(1);
});

describe('watch:test', () => {
  const config = {
    node_name: 'n1',
    watches: [
      { type: 'service', service: 'web', args: ['./web.sh'] },
      { type: 'nodes', args: ['./nodes.sh'] },
    ],
    reactions: [
      {
        name: 'sink',
        service: 'monitoring',
        on_down: { args: ['./down.sh'], expect: { within: '5m', else: { args: ['./page.sh'] } } },
        on_up: { handler: './up.sh', watch_for: '2m', else: { args: ['./again.sh'] } },
      },
    ],
  };

  async function withFile(task: (file: string) => Promise<void>): Promise<void> {
    const folder = await mkdtemp(path.join(tmpdir(), 'drover-watch-test-'));
    try {
      const file = path.join(folder, 'agent.json');
      await writeFile(file, JSON.stringify(config), { mode: 0o644 });
      await task(file);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  test('watch:test says which handlers would run, in order, with which input', () =>
    withFile(async (file) => {
      const { stdout, exit } = await run(['watch:test', file, 'sink', '--json']);
      const [{ moments }] = JSON.parse(stdout) as [
        { moments: { happening: string; handler: string; input: object }[] },
      ];
      const ran = moments.filter(({ handler }) => handler !== null);
      expect(exit).toBe(0);
      expect(ran.map(({ happening, handler }) => `${happening} ${handler}`)).toEqual([
        'down ./down.sh',
        'missing ./page.sh',
        'up ./up.sh',
        'down ./down.sh',
        'up ./up.sh',
        'down ./down.sh',
        'relapse ./again.sh',
      ]);
      expect(ran[2]?.input).toMatchObject({ happening: 'up', instances: [{ address: '192.0.2.2', port: 1000 }] });
    }));

  test('watch:test replays watches of services too', () =>
    withFile(async (file) => {
      const { stdout } = await run(['watch:test', file, 'web']);
      expect(stdout).toMatch(/^service web on n1\n/);
      expect(stdout.match(/runs {2}\.\/web\.sh/g)).toHaveLength(3);
      expect(stdout).toMatch(/the agent starts again: nothing runs/);
    }));

  test('watch:test says when there is nothing of that name', () =>
    withFile(async (file) => {
      const ran = await run(['watch:test', file, 'other']);
      expect([ran.exit, ran.stderr]).toEqual([4, expect.stringContaining('no reaction "other"')]);
    }));
});
