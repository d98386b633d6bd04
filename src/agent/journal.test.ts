import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Journal } from './journal.ts';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-journal-'));
  file = path.join(directory, 'j.jsonl');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function parse(value: unknown): number {
  if (typeof value !== 'number') throw new Error('not a number');
  return value;
}

async function linesIn(): Promise<readonly number[]> {
  const { journal, lines } = await Journal.open(file, parse);
  await journal[Symbol.asyncDispose]();
  return lines;
}

test('Journal.open() makes a file where there is none', async () => {
  const { journal, lines, damaged } = await Journal.open(file, parse);
  await journal[Symbol.asyncDispose]();
  expect([lines, damaged, journal.length]).toEqual([[], undefined, 0]);
});

test('Journal.append() has everything on the disk when it resolves, in order, also when called at once', async () => {
  const { journal } = await Journal.open(file, parse);
  await using _journal = journal;
  const seen = await Promise.all(
    Array.from({ length: 50 }, async (_one, index) => {
      await journal.append([index]);
      return (await readFile(file, 'utf8')).split('\n').includes(String(index));
    }),
  );
  expect(seen).not.toContain(false);
  expect(await linesIn()).toEqual(Array.from({ length: 50 }, (_one, index) => index));
});

test('Journal.rewrite() replaces everything, and what is appended meanwhile follows it', async () => {
  const { journal } = await Journal.open(file, parse);
  await using _journal = journal;
  await journal.append([1, 2, 3]);
  await Promise.all([journal.rewrite([9]), journal.append([10])]);
  await journal.append([11]);
  expect(await linesIn()).toEqual([9, 10, 11]);
  expect(journal.length).toBe(3);
});

test('Journal.open() drops a line that was cut off, and goes on behind it', async () => {
  await writeFile(file, '1\n2\n3');
  const { journal, lines, damaged } = await Journal.open(file, parse);
  expect([lines, damaged]).toEqual([[1, 2], undefined]);
  await journal.append([4]);
  await journal[Symbol.asyncDispose]();
  expect(await linesIn()).toEqual([1, 2, 4]);
});

test.each(['x\n', '"text"\n', '\n', '{"a":\n'])(
  'Journal.open() puts a file with %j aside and keeps the rest',
  async (bad) => {
    await writeFile(file, `1\n${bad}2\n`);
    const { journal, lines, damaged } = await Journal.open(file, parse);
    await journal[Symbol.asyncDispose]();
    expect(lines).toEqual([1, 2]);
    expect(damaged).toEqual({ reason: expect.stringMatching(/^line 2: /), keptAs: `${file}.damaged` });
    expect(await readFile(`${file}.damaged`, 'utf8')).toBe(`1\n${bad}2\n`);
    expect(await linesIn()).toEqual([1, 2]);
  },
);

test('Journal.append() rejects when the disk does not take it, and takes the next', async () => {
  const { journal } = await Journal.open(file, parse);
  const lines = [1n as unknown as number];
  await expect(journal.append(lines)).rejects.toThrow();
  await journal.append([2]);
  await journal[Symbol.asyncDispose]();
  expect(await linesIn()).toEqual([2]);
});

test('Journal.open() finds all whole lines of a file that was cut anywhere', async () => {
  const property = fc.asyncProperty(fc.array(fc.integer(), { maxLength: 8 }), fc.nat(40), async (numbers, cut) => {
    const whole = numbers.map((one) => `${one}\n`).join('');
    await writeFile(file, whole.slice(0, cut));
    const expected = whole.slice(0, cut).split('\n').slice(0, -1).map(Number);
    expect(await linesIn()).toEqual(expected);
    await appendFile(file, '7\n');
    expect(await linesIn()).toEqual([...expected, 7]);
  });
  await fc.assert(property, { numRuns: 25 });
});
