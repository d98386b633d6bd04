import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { directoryProblem, dropDataDirectory, openDataDirectory } from './data-directory.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-data-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const directory = (isDirectory = true, uid = 1_000, mode = 0o40755) => ({ uid, mode, isDirectory: () => isDirectory });

test.each([
  ['an empty one', directory(), [], null],
  ['one of an earlier start', directory(), ['lost+found', 'nodes'], null],
  ['a private one with other files', directory(true, 1_000, 0o40700), ['notes.txt'], null],
  ['somebody else’s', directory(true, 0), [], 'another user (uid 0)'],
  ['a link or file', directory(false), [], 'not a directory'],
  ['a shared one with other files', directory(), ['notes.txt'], 'other files'],
  ['/tmp', directory(true, 1_000, 0o41777), ['x'], 'other files'],
])('directoryProblem() judges %s', (_what, found, entries, problem) => {
  const said = directoryProblem(found, entries, 1_000);
  if (problem === null) expect(said).toBeNull();
  else expect(said).toContain(problem);
});

test('openDataDirectory() makes a directory that is its owner’s alone, and tightens an empty one', async () => {
  for (const name of ['new/deep', 'old']) {
    const dataDirectory = path.join(folder, name);
    if (name === 'old') await mkdir(dataDirectory, { mode: 0o755 });
    await openDataDirectory({ dataDirectory, temporary: false });
    expect((await stat(dataDirectory)).mode & 0o7777).toBe(0o700);
  }
});

test('openDataDirectory() follows no link where the name could be guessed, and does where an operator gave it', async () => {
  const target = path.join(folder, 'target');
  const link = path.join(folder, 'link');
  await mkdir(target, { mode: 0o755 });
  await symlink(target, link);
  await expect(openDataDirectory({ dataDirectory: link, temporary: true })).rejects.toMatchObject({
    code: 'AGENT_DATA_DIRECTORY',
  });
  expect((await stat(target)).mode & 0o7777).toBe(0o755);
  await openDataDirectory({ dataDirectory: link, temporary: false });
  expect((await stat(target)).mode & 0o7777).toBe(0o700);
});

test('openDataDirectory() says what is wrong with a path that cannot be one', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  for (const dataDirectory of [file, path.join(file, 'below'), '/proc/drover', '/proc/drover/below'])
    await expect(openDataDirectory({ dataDirectory, temporary: false })).rejects.toThrow(dataDirectory);
});

test('dropDataDirectory() removes a temporary directory and never one that an operator named', async () => {
  const dataDirectory = path.join(folder, 'kept');
  await mkdir(dataDirectory);
  await writeFile(path.join(dataDirectory, 'precious'), 'x');
  await dropDataDirectory({ dataDirectory, temporary: false });
  expect(await readFile(path.join(dataDirectory, 'precious'), 'utf8')).toBe('x');
  await dropDataDirectory({ dataDirectory, temporary: true });
  await expect(stat(dataDirectory)).rejects.toThrow('ENOENT');
});
