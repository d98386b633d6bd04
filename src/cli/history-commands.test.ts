import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sealArchive } from '../lib/index.ts';
import { run } from './testing.ts';

const AT = '2026-01-01T00:00:00.000Z';
const item = (revision: number, before: object | null, after: object | null, more: object = {}): object => ({
  revision,
  kind: 'kv',
  subject: 'k',
  author: 'token a',
  at: AT,
  change: after === null ? 'removed' : before === null ? 'created' : 'changed',
  before,
  after,
  latest: false,
  ...more,
});
const LOG = [
  item(9, { text: '2\n3\n' }, null),
  item(7, { text: '1\n2\n' }, { text: '2\n3\n', flags: '5' }),
  item(5, null, { text: '1\n2\n' }),
];
const GET = 'GET /v2/history?kind=kv&subject=k';

describe('drover kv:log', () => {
  test('shows who changed what, the newest first', async () => {
    const { exit, stdout } = await run('kv:log k', { answers: { [GET]: { json: LOG } } });
    expect(exit).toBe(0);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^revision +time +by +what +value$/);
    expect(lines[1]).toMatch(/^r9 .* token a +removed +"2\\n3\\n" → nothing$/);
    expect(lines[3]).toMatch(/^r5 .* created +nothing → "1\\n2\\n"$/);
  });

  test('shows recursive deletes, secrets and bytes for what they are, and gives programs all', async () => {
    const json = [
      item(9, { keys: 3, text: 'a' }, null, { kind: 'kvtree', subject: 'a/' }),
      item(8, { base64: 'AAA=' }, { sha256: 'x' }),
    ];
    const answers = { 'GET /v2/history?kind=kv&prefix=k&limit=2': { json } };
    const { stdout } = await run('kv:log k --prefix --limit 2', { answers });
    expect(stdout).toContain('removed with all of "a/"');
    expect(stdout).toContain('(secret)');
    expect(JSON.parse((await run('kv:log k --prefix --limit 2 --json', { answers })).stdout)).toEqual(json);
  });

  test('exits 4 for what history does not know', async () => {
    const { exit, stderr } = await run('kv:log k', { answers: { [GET]: { json: [] } } });
    expect([exit, stderr]).toEqual([4, expect.stringContaining('history knows nothing of "k"')]);
  });
});

describe('drover kv:diff', () => {
  const answers = { [`${GET}&limit=1000`]: { json: LOG } };

  test.each([
    ['kv:diff k', '- 2\n- 3\n'],
    ['kv:diff k 5', '- 1\n- 2\n'],
    ['kv:diff k r5 8', '- 1\n  2\n+ 3\nflags 0 → 5\n'],
    ['kv:diff k 3 5', '+ 1\n+ 2\n'],
    ['kv:diff k 7 8', 'no difference\n'],
  ])('%s', async (words, stdout) => {
    expect(await run(words, { answers })).toMatchObject({ exit: 0, stdout });
  });

  test('says that binary values differ, and refuses what is no revision', async () => {
    const json = [item(9, { base64: 'AAA=' }, { base64: 'AAAA' })];
    expect(await run('kv:diff k', { answers: { [`${GET}&limit=1000`]: { json } } })).toMatchObject({
      stdout: 'binary values differ\n',
    });
    expect((await run('kv:diff k yesterday', { answers })).exit).toBe(2);
  });
});

describe('drover kv:undo', () => {
  const undone = { 'POST /v2/history/undo': { json: { undone: ['k'], lost: 0 }, revision: 12 } };

  test('undoes the last change of a key', async () => {
    const answers = { ...undone, [`${GET}&limit=1`]: { json: [LOG[0] as object] } };
    const { exit, stdout, requests } = await run('kv:undo k', { answers });
    expect([exit, stdout]).toEqual([0, '"k" is as it was before r9, at r12\n']);
    expect(requests.at(-1)).toBe('POST /v2/history/undo {"revision":9,"kind":"kv","subject":"k","force":false}');
  });

  test('undoes a revision whole, and says what was lost', async () => {
    const json = { undone: ['a', 'b'], lost: 3 };
    const answers = { 'POST /v2/history/undo': { json, revision: 12 } };
    const { stdout, requests } = await run('kv:undo --revision r9 --force', { answers });
    expect(stdout).toBe('2 keys are as they were before r9, at r12\nhistory had not kept 3 more keys\n');
    expect(requests).toEqual(['POST /v2/history/undo {"revision":9,"kind":"kv","force":true}']);
  });

  test('exits 6 for what was changed since, 2 without key and revision', async () => {
    const error = { code: 'CHANGE_SUPERSEDED', message: 'kv k was changed since', hint: '--force' };
    const answers = { 'POST /v2/history/undo': { status: 409, json: { error } } };
    expect((await run('kv:undo k --revision 9', { answers })).exit).toBe(6);
    expect((await run('kv:undo', { answers })).exit).toBe(2);
  });
});

describe('drover service:log, datastore:log, check:log', () => {
  test('service:log shows who changed a definition, with --diff what', async () => {
    const json = [item(9, { text: '{\n  "a": 1\n}' }, { text: '{\n  "a": 2\n}' }, { kind: 'def' })];
    const answers = { 'GET /v2/history?kind=def&subject=default%2Fapi': { json } };
    expect((await run('service:log api', { answers })).stdout).toMatch(/by +what\nr9 .*token a +changed\n$/);
    expect((await run('service:log api --diff', { answers })).stdout).toMatch(
      /changed\n {2}- {3}"a": 1\n {2}\+ {3}"a": 2\n$/,
    );
  });

  test('datastore:log hides values', async () => {
    const json = [item(9, { sha256: 'a' }, { sha256: 'b' }, { kind: 'ds' })];
    const answers = { 'GET /v2/history?kind=ds&subject=default%2Faws%2FDB': { json } };
    expect((await run('datastore:log DB --region aws', { answers })).stdout).toContain('(secret)');
  });

  test('check:log shows transitions with their output', async () => {
    const json = [{ n: 3, revision: 9, from: 'passing', status: 'critical', output: 'down\n', at: AT }];
    const url = 'GET /v2/nodes/n1/checks/service%3Aapi/history';
    const { stdout } = await run('check:log n1 service:api', { answers: { [url]: { json } } });
    expect(stdout).toMatch(/passing → critical +down\n$/);
    expect((await run('check:log n1 service:api', { answers: { [url]: { json: [] } } })).stdout).toContain('as it is');
  });
});

describe('drover snapshot', () => {
  let directory: string;
  let archive: Buffer;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'drover-cli-'));
    const meta = { format: 'drover-snapshot', layout: 1, index: 57, version: '1', region: 'aws', at: AT, entries: 0 };
    archive = await sealArchive(
      new Map([
        ['meta.json', Buffer.from(JSON.stringify(meta))],
        ['state', Buffer.alloc(0)],
      ]),
    );
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  test('snapshot:inspect says what a file holds, exit 2 for what is none', async () => {
    const file = path.join(directory, 'a.tgz');
    await writeFile(file, archive);
    expect((await run(['snapshot:inspect', file])).stdout).toContain('region aws at r57, 0 entries');
    await writeFile(file, archive.subarray(0, 40));
    for (const one of [file, path.join(directory, 'none')]) {
      const { exit, stderr } = await run(['snapshot:inspect', one]);
      expect([exit, stderr]).toEqual([2, expect.stringContaining('is not a snapshot to use')]);
    }
  });

  test('snapshot:restore asks for --yes before it sends anything', async () => {
    const file = path.join(directory, 'a.tgz');
    await writeFile(file, archive);
    const answers = { 'PUT /v1/snapshot': { text: '', revision: 99 } };
    const asked = await run(['snapshot:restore', file], { answers });
    expect([asked.exit, asked.requests, asked.stderr]).toEqual([
      2,
      [],
      expect.stringContaining('would replace everything'),
    ]);
    const done = await run(['snapshot:restore', file, '--yes'], { answers });
    expect([done.exit, done.stdout]).toEqual([0, 'the region is as it was at r57, now r99\n']);
    expect(await readFile(file)).toEqual(archive);
    expect((await stat(file)).size).toBe(archive.length);
  });
});
