import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BoundedLog } from './bounded-log.ts';

let directory: string;
let file: string;

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'drover-log-'));
  file = path.join(directory, 'log');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

test('BoundedLog goes on where the file ended, readable by its owner only', () => {
  for (const line of ['one\n', 'two\n']) {
    const log = new BoundedLog(file, 1_000);
    log.write(line);
    log.close();
  }
  expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('BoundedLog keeps the latest and one part before it', () => {
  const log = new BoundedLog(file, 10);
  for (const line of ['aaaa\n', 'bbbb\n', 'cccc\n', 'dddd\n', 'eeee\n']) log.write(line);
  log.close();
  expect(readFileSync(file, 'utf8')).toBe('eeee\n');
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('cccc\ndddd\n');
  expect(readdirSync(directory)).toEqual(['log', 'log.1']);
});

test('BoundedLog.write() loses a line rather than the run when the file cannot be written', () => {
  const log = new BoundedLog(file, 4);
  log.write('aaaa');
  rmSync(directory, { recursive: true });
  expect(() => log.write('bbbb')).not.toThrow();
});
