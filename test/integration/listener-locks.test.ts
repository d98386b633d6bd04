import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { lockHolder } from '../../src/lib/index.ts';
import { foreignHolder } from '../../src/listener/index.ts';

let directory: string;
let file: string;
let started: ChildProcess[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-locks-'));
  file = path.join(directory, 'tool.lock');
  started = [];
});

afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

/** A process that says something once it is at work. */
async function begin(program: string, args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  await new Promise((resolve) => child.stdout?.once('data', resolve));
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await new Promise((resolve) => child.once('exit', resolve));
}

// As Chef does it: the file holds a pid, stays for ever, and is locked while a run lasts.
const LOCK_LIKE_CHEF = 'exec 9>>"$1"; flock -n 9; echo "$$" >&9; echo locked; exec sleep 30';

test('foreignHolder() sees a lock like that of Chef while it is held, and not the file that it leaves', async () => {
  expect(await foreignHolder([{ file, held: 'flock' }])).toBeNull();
  const chef = await begin('/bin/sh', ['-c', LOCK_LIKE_CHEF, 'chef', file]);
  expect(await foreignHolder([{ file, held: 'flock' }])).toMatch(/^pid \d+ holds .*tool\.lock$/);
  expect(await lockHolder(file)).not.toBeNull();
  await end(chef);
  expect(await foreignHolder([{ file, held: 'flock' }])).toBeNull();
  expect(await lockHolder(file)).toBeNull();
});

test('foreignHolder() sees a pid file like that of Puppet while its process lives', async () => {
  const puppet = await begin('/bin/sh', ['-c', 'echo "$$" > "$1"; echo written; exec sleep 30', 'puppet', file]);
  expect(await foreignHolder([{ file, held: 'pid' }])).toBe(`pid ${puppet.pid} holds ${file}`);
  expect(await foreignHolder([{ file, held: 'either' }])).toBe(`pid ${puppet.pid} holds ${file}`);
  expect(await foreignHolder([{ file, held: 'flock' }])).toBeNull();
  await end(puppet);
  expect(await foreignHolder([{ file, held: 'pid' }])).toBeNull();
});

test('foreignHolder() is not taken in by a pid that somebody else has by now', async () => {
  await writeFile(file, `${process.pid}\n`);
  expect(await foreignHolder([{ file, held: 'pid' }])).toBe(`pid ${process.pid} holds ${file}`);
  const lastYear = new Date(Date.now() - 365 * 86_400_000);
  await utimes(file, lastYear, lastYear);
  expect(await foreignHolder([{ file, held: 'pid' }])).toBeNull();
});

test.each(['', 'no pid', '-1', '0x10', '99999999999', '1 2'])(
  'foreignHolder() ignores a pid file of %j',
  async (content) => {
    await writeFile(file, content);
    expect(await foreignHolder([{ file, held: 'pid' }])).toBeNull();
  },
);
