import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensureDirectory, removeTemporaries, writeAtomically } from './atomic-file.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-atomic-'));
  file = path.join(directory, 'a.conf');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

const modeOf = async (name: string): Promise<number> => (await stat(name)).mode & 0o777;

test('writeAtomically() creates a file that nobody else reads, unless a mode is given', async () => {
  await writeAtomically(file, 'one');
  expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual(['one', 0o600]);
  await writeAtomically(file, 'two', { mode: 0o664, durable: false });
  expect([await readFile(file, 'utf8'), await modeOf(file)]).toEqual(['two', 0o664]);
});

test.runIf(process.getuid?.() === 0)('writeAtomically() gives the file to its owner', async () => {
  await writeAtomically(file, 'one', { owner: { uid: 65_534, gid: 65_534 } });
  expect(await stat(file)).toMatchObject({ uid: 65_534, gid: 65_534 });
});

test('writeAtomically() leaves the old content and no temporary file when it fails', async () => {
  await ensureDirectory(file);
  await expect(writeAtomically(file, 'new')).rejects.toMatchObject({ code: 'EISDIR' });
  expect(await readdir(directory)).toEqual(['a.conf']);
  await expect(writeAtomically(path.join(directory, 'no', 'such'), 'new')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('removeTemporaries() removes what killed writes left and nothing else', async () => {
  await writeFile(file, '');
  await writeFile(path.join(directory, '.a.conf.0011aabbccdd.drover-tmp'), '');
  await writeFile(path.join(directory, '.hidden'), '');
  await removeTemporaries(directory);
  expect(await readdir(directory)).toEqual(['.hidden', 'a.conf']);
  await removeTemporaries(path.join(directory, 'absent'));
});
