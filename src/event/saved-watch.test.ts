import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { WatchFile } from './saved-watch.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-saved-watch-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (warnings: string[] = []): { saved: WatchFile; clock: FakeClock; file: string } => {
  const clock = new FakeClock();
  const file = path.join(folder, 'a.json');
  return {
    clock,
    file,
    saved: new WatchFile({ file, title: 'key a', clock, warn: (text) => void warnings.push(text) }),
  };
};

test('WatchFile.load() has handed nothing over at first, and then what was saved', async () => {
  const { saved } = open();
  expect(await saved.load()).toEqual({ hash: null, cursor: null });
  saved.save({ hash: 'h', cursor: 7 });
  await saved.settled();
  expect(await open().saved.load()).toEqual({ hash: 'h', cursor: 7 });
});

test('WatchFile.save() writes a moment later, the last of several', async () => {
  const { saved, clock, file } = open();
  saved.save({ hash: 'one', cursor: null });
  saved.save({ hash: 'two', cursor: null });
  await clock.advance(49);
  await expect(readFile(file)).rejects.toThrow('ENOENT');
  await clock.advance(1);
  await saved.settled();
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual({ watch: 'key a', hash: 'two', cursor: null });
});

test('WatchFile.load() puts a damaged file aside and says so', async () => {
  const warnings: string[] = [];
  const { saved, file } = open(warnings);
  await writeFile(file, '{"hash": 5}');
  expect(await saved.load()).toEqual({ hash: null, cursor: null });
  expect(warnings).toEqual([expect.stringContaining('the handler runs again')]);
});

test('WatchFile.save() says when it cannot be written, and goes on', async () => {
  const warnings: string[] = [];
  const clock = new FakeClock();
  const file = path.join(folder, 'none/a.json');
  const saved = new WatchFile({ file, title: 'key a', clock, warn: (text) => void warnings.push(text) });
  saved.save({ hash: 'h', cursor: null });
  await saved.settled();
  expect(warnings).toEqual([expect.stringContaining('not on the disk')]);
});
