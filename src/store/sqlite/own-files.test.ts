import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OwnFiles } from './own-files.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'drover-own-files-'));
  file = path.join(directory, 'store.db');
  writeFileSync(file, 'store');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('OwnFiles.check()', () => {
  test('says nothing while the files are in their place, however they change', () => {
    const files = new OwnFiles(file);
    writeFileSync(`${file}-wal`, 'log');
    files.check();
    writeFileSync(file, 'longer than before');
    writeFileSync(`${file}-wal`, '');
    files.check();
  });

  test.each<[what: string, why: string, act: () => void]>([
    ['the store is removed', 'store.db was', () => rmSync(file)],
    ['the log is removed', 'store.db-wal was', () => rmSync(`${file}-wal`)],
    ['the directory is removed', 'store.db was', () => rmSync(directory, { recursive: true })],
    ['the directory is moved', 'store.db was', () => renameSync(directory, `${directory}-moved`)],
    ['another store is put in its place', 'store.db was', () => replace(file)],
    ['another log is put in its place', 'store.db-wal was', () => replace(`${file}-wal`)],
  ])('throws when %s', (_, why, act) => {
    const files = new OwnFiles(file);
    writeFileSync(`${file}-wal`, 'log');
    files.check();
    act();
    expect(() => files.check()).toThrow(`${why} taken away or replaced`);
    rmSync(`${directory}-moved`, { recursive: true, force: true });
  });
});

function replace(name: string): void {
  writeFileSync(`${name}.other`, 'other');
  renameSync(`${name}.other`, name);
}
