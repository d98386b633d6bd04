import { readFile, stat, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CliRegion, until, type Ended } from './cli-region.ts';

let region: CliRegion;
beforeAll(async () => {
  region = await CliRegion.start({ keeps: true });
}, 60_000);
afterAll(() => region[Symbol.asyncDispose](), 30_000);

async function ok(words: string | readonly string[]): Promise<string> {
  const ended: Ended = await region.drover(words);
  expect(ended, String(words)).toMatchObject({ code: 0 });
  return ended.stdout;
}

const json = async (words: string): Promise<ReturnType<typeof JSON.parse>> => JSON.parse(await ok(`${words} --json`));

const indexOf = async (path: string): Promise<number> =>
  Number((await fetch(`${region.address}${path}`)).headers.get('x-consul-index'));

/** A check of the first node that an operator turns. */
async function turnCheck(status: 'pass' | 'fail', note: string): Promise<void> {
  const response = await fetch(`${region.address}/v1/agent/check/${status}/turned?note=${note}`, { method: 'PUT' });
  expect(response.status).toBe(200);
}

describe('who changed what, as a user sees it', () => {
  test('kv:log, kv:diff and kv:undo, also after the agent was killed', async () => {
    await ok('kv:put app/limit 10');
    await ok('kv:put app/limit 20');
    await ok('kv:put app/other x');
    await ok('kv:delete app/ --recurse');
    await region.restart('SIGKILL');
    expect(await ok('kv:log app/limit')).toMatch(
      /removed with all of "app\/" +"20" → nothing\n.*changed +"10" → "20"\n.*created/,
    );
    expect(await ok('kv:diff app/limit')).toBe('- 20\n');
    const log = await json('kv:log app/limit');
    expect(log[0].author).toMatch(/^unnamed, from (?:::ffff:)?127\.0\.0\.1$/);
    expect(await ok(`kv:undo --revision ${log[0].revision}`)).toContain('2 keys are as they were');
    expect(await ok('kv:get app/limit')).toBe('20');
    expect(await ok(`kv:diff app/limit ${log[2].revision}`)).toBe('- 10\n+ 20\n');
    const conflict = await region.drover(`kv:undo app/limit --revision ${log[2].revision}`);
    expect([conflict.code, conflict.stderr]).toEqual([6, expect.stringContaining('CHANGE_SUPERSEDED')]);
    expect((await region.drover('kv:log never')).code).toBe(4);
    expect((await region.drover('kv:diff app/limit yesterday')).code).toBe(2);
  }, 60_000);

  test('service:log and datastore:log, without secrets', async () => {
    for (const command of ['one', 'two']) {
      await writeFile(region.path('api.json'), JSON.stringify({ id: 'api', command }));
      await ok(['service:apply', region.path('api.json')]);
      await ok(['datastore:set', 'DB', `mysql://${command}`]);
    }
    expect(await ok('service:log api --diff')).toMatch(/- +"command": "one",?\n +\+ +"command": "two"/);
    const datastores = await ok('datastore:log DB --json');
    expect(JSON.parse(datastores)).toHaveLength(2);
    expect(datastores).not.toContain('mysql');
    const trace = await json(`trace ${JSON.parse(datastores)[0].revision}`);
    expect(trace.author).toContain('unnamed, from');
  }, 60_000);

  test('check:log keeps transitions over a restart', async () => {
    const body = JSON.stringify({ Name: 'turned', CheckID: 'turned', TTL: '1h' });
    await fetch(`${region.address}/v1/agent/check/register`, { method: 'PUT', body });
    await turnCheck('pass', 'well');
    await turnCheck('fail', 'broken');
    const states = async (): Promise<string[]> =>
      (await json('check:log app turned')).map(
        (one: { status: string; output: string }) => `${one.status} ${one.output}`,
      );
    await until(async () => (await states())[0]?.startsWith('critical') === true);
    await region.restart('SIGTERM');
    await until(async () => (await states()).some((one) => one === 'critical broken'));
  }, 60_000);
});

describe('snapshot', () => {
  test('snapshot:save, inspect and restore bring everything back, indexes rising', async () => {
    const file = region.path('backup.tgz');
    await ok('kv:put saved yes');
    expect(await ok(['snapshot:save', file])).toContain(`${file}: region dc1 at r`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(execFileSync('tar', ['-tzf', file]).toString()).toBe('meta.json\nstate\nSHA256SUMS\n');
    expect(await ok(['snapshot:inspect', file])).toContain('every checksum is right');
    await ok('kv:put saved no');
    await ok('kv:put later 1');
    const [before, gone] = [await indexOf('/v1/kv/saved'), await indexOf('/v1/kv/later')];
    expect((await region.drover(['snapshot:restore', file])).code).toBe(2);
    await ok(['snapshot:restore', file, '--yes']);
    expect(await ok('kv:get saved')).toBe('yes');
    expect((await region.drover('kv:get later')).code).toBe(4);
    expect(await indexOf('/v1/kv/saved')).toBeGreaterThan(before);
    expect(await indexOf('/v1/kv/later')).toBeGreaterThan(gone);
    // The nodes have said again what they are.
    await until(async () => (await json('node:show bare')).status === 'up');
    const restored = await indexOf('/v1/kv/saved');
    await region.restart('SIGKILL');
    expect(await ok('kv:get saved')).toBe('yes');
    expect(await indexOf('/v1/kv/saved')).toBe(restored);
    expect(await ok('kv:log saved')).toContain('created');
  }, 90_000);

  test('snapshot:restore refuses a damaged file', async () => {
    const file = region.path('damaged.tgz');
    const archive = await readFile(region.path('backup.tgz'));
    await writeFile(file, archive.subarray(0, archive.length - 100));
    const ended = await region.drover(['snapshot:restore', file, '--yes']);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining('CLI_BAD_SNAPSHOT')]);
    const response = await fetch(`${region.address}/v1/snapshot`, {
      method: 'PUT',
      body: new Uint8Array(archive.subarray(0, 300)),
    });
    expect([response.status, await response.text()]).toEqual([
      400,
      expect.stringContaining('not a snapshot to restore'),
    ]);
    expect(await ok('kv:get saved')).toBe('yes');
  }, 60_000);
});
