import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openState, saveState } from './state-file.ts';

let directory: string;
let file: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-state-'));
  file = path.join(directory, 'state.json');
});

afterEach(() => rm(directory, { recursive: true, force: true }));

function parse(value: unknown): { count: number } {
  const { count } = value as { count: unknown };
  if (typeof count !== 'number') throw new TypeError('count is no number');
  return { count };
}

test('openState() reads back what saveState() wrote', async () => {
  expect(await openState(file, parse)).toEqual({ value: null });
  await saveState(file, { count: 3 });
  expect(await openState(file, parse)).toEqual({ value: { count: 3 } });
});

test.each([
  ['', /JSON/],
  ['{"count": 3', /JSON/],
  ['null', /./],
  ['{"count": "3"}', /count is no number/],
])('openState() puts %j aside and says why', async (content, reason) => {
  await writeFile(file, content);
  const { value, damaged } = await openState(file, parse);
  expect(value).toBeNull();
  expect(damaged?.reason).toMatch(reason);
  expect(damaged?.keptAs).toBe(`${file}.damaged`);
  expect(await readFile(`${file}.damaged`, 'utf8')).toBe(content);
  expect(await readdir(directory)).toEqual(['state.json.damaged']);
});

test('openState() rejects when the file is there and cannot be read', async () => {
  await expect(openState(directory, parse)).rejects.toMatchObject({ code: 'EISDIR' });
});
