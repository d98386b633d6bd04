import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../../src/lib/index.ts';
import { prefixRange, SqliteStore } from '../../src/store/index.ts';
import type { Lease, Store } from '../../src/store/index.ts';
import { kill, storeFixture } from './store-fixture.ts';

const ALL = prefixRange('');
const fixture = storeFixture();

async function put(store: Store, key: string, value = 'v', lease?: Lease): Promise<number> {
  const write = { type: 'put', key, value, ...(lease === undefined ? {} : { lease }) } as const;
  return (await store.commit({ compares: [], writes: [write] })).revision;
}

async function keys(store: Store): Promise<string[]> {
  return (await store.read(ALL)).entries.map((entry) => entry.key);
}

/** Changes the closed store's file as no drover would. */
function tamper(directory: string, sql: string): void {
  using db = new DatabaseSync(path.join(directory, 'store.db'));
  db.exec(sql);
}

describe('SqliteStore.start()', () => {
  test('goes on where it ended, also when the newest entry was deleted', async () => {
    const directory = fixture.directory();
    let last: number;
    {
      await using store = await SqliteStore.start({ directory });
      await put(store, 'a', 'kept');
      await put(store, 'b');
      last = (await store.commit({ compares: [], writes: [{ type: 'delete', key: 'b' }] })).revision;
    }
    await using store = await SqliteStore.start({ directory });
    expect(store.status()).toMatchObject({ engine: 'sqlite', revision: last, compacted: last });
    expect(await store.read(ALL)).toEqual({
      revision: last,
      entries: [{ key: 'a', value: 'kept', createRevision: 1, modRevision: 1 }],
    });
    expect(await put(store, 'c')).toBe(last + 1);
    await expect(
      store
        .watch(ALL, last - 1, AbortSignal.timeout(5_000))
        [Symbol.asyncIterator]()
        .next(),
    ).rejects.toThrow('older than');
  });

  test('raises the base, for every revision, and never lowers it', async () => {
    const directory = fixture.directory();
    {
      await using store = await SqliteStore.start({ directory });
      expect(await put(store, 'a')).toBe(1);
    }
    {
      await using store = await SqliteStore.start({ directory, base: 1_000 });
      expect(store.status().revision).toBe(1_001);
      expect((await store.read(ALL)).entries[0]).toMatchObject({ createRevision: 1_001, modRevision: 1_001 });
      const stale = await store.commit({ compares: [{ key: 'a', modRevision: 1 }], writes: [] });
      expect(stale).toMatchObject({ ok: false, entries: [{ key: 'a', modRevision: 1_001 }] });
      const absent = { compares: [{ key: 'x', modRevision: 1_000 }], writes: [] };
      expect((await store.commit(absent)).ok).toBe(false);
      const held = { compares: [{ key: 'a', modRevision: 1_001 }], writes: [] };
      expect((await store.commit(held)).ok).toBe(true);
    }
    await using store = await SqliteStore.start({ directory, base: 5 });
    expect(await put(store, 'b')).toBe(1_002);
  });

  test('gives the leases of the last run one full TTL', async () => {
    const directory = fixture.directory();
    {
      await using store = await SqliteStore.start({ directory, clock: new FakeClock() });
      await put(store, 'leased', 'v', await store.lease(10_000));
      await put(store, 'free');
    }
    const clock = new FakeClock();
    await using store = await SqliteStore.start({ directory, clock });
    await clock.advance(9_999);
    expect(await keys(store)).toEqual(['free', 'leased']);
    const before = store.status().revision;
    await clock.advance(1);
    for await (const batch of store.watch(ALL, before, AbortSignal.timeout(5_000))) {
      expect(batch.events).toEqual([{ type: 'delete', key: 'leased' }]);
      break;
    }
    expect(await keys(store)).toEqual(['free']);
  });

  test('keeps what it writes to its owner', async () => {
    const directory = fixture.directory();
    await using store = await SqliteStore.start({ directory });
    await put(store, 'a');
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    const files = readdirSync(directory);
    expect(files).toEqual(expect.arrayContaining(['store.db', 'store.db-wal', 'store.lock', 'store.pid']));
    for (const file of files) expect([file, statSync(path.join(directory, file)).mode & 0o077]).toEqual([file, 0]);
  });

  test('leaves one file and its lock after an orderly end', async () => {
    const directory = fixture.directory();
    const store = await SqliteStore.start({ directory });
    await put(store, 'a');
    await store[Symbol.asyncDispose]();
    for (const file of ['store.db-wal', 'store.pid'])
      expect([file, existsSync(path.join(directory, file))]).toEqual([file, false]);
  });
});

describe('SqliteStore.start() refuses', () => {
  test('a directory in use, naming who holds it', async () => {
    const directory = fixture.directory();
    {
      await using first = await SqliteStore.start({ directory });
      await expect(SqliteStore.start({ directory })).rejects.toMatchObject({ code: 'STORE_IN_USE', exitCode: 6 });
      await put(first, 'a');
    }
    const holder = fixture.start('hold', directory);
    await once(holder.stdout as NonNullable<typeof holder.stdout>, 'data');
    await expect(SqliteStore.start({ directory })).rejects.toThrow(`in use by process ${holder.pid}`);
    await kill(holder);
    await using again = await SqliteStore.start({ directory });
    expect(await keys(again)).toEqual(['a']);
  });

  test('a newer layout', async () => {
    const directory = fixture.directory();
    await (await SqliteStore.start({ directory }))[Symbol.asyncDispose]();
    tamper(directory, 'pragma user_version = 2');
    await expect(SqliteStore.start({ directory })).rejects.toMatchObject({
      code: 'STORE_NEWER_LAYOUT',
      message: 'the store has layout 2, this drover knows layouts up to 1',
    });
    tamper(directory, 'pragma user_version = 1');
    await (await SqliteStore.start({ directory }))[Symbol.asyncDispose]();
  });

  test.each<[string, (directory: string, file: string) => void, string]>([
    [
      'a file that is no database',
      (_directory, file) => writeFileSync(file, 'not a database '.repeat(500)),
      'not a database',
    ],
    ['an emptied file', (_directory, file) => truncateSync(file, 0), 'is empty'],
    ['half a file', (_directory, file) => truncateSync(file, statSync(file).size / 2), 'damaged'],
    [
      "somebody else's database",
      (directory) => tamper(directory, 'pragma application_id = 1'),
      'not a store of drover',
    ],
    [
      'a wrong revision',
      (directory) => tamper(directory, "update meta set value = 1 where name = 'revision'"),
      'revision',
    ],
    ['a log without its file', (_directory, file) => (rmSync(file), writeFileSync(`${file}-wal`, 'x')), 'missing'],
  ])('%s', async (_what, damage, why) => {
    const directory = fixture.directory();
    {
      await using store = await SqliteStore.start({ directory });
      for (let index = 0; index < 50; index++) await put(store, `k${index}`, 'x'.repeat(500));
    }
    damage(directory, path.join(directory, 'store.db'));
    await expect(SqliteStore.start({ directory })).rejects.toMatchObject({
      code: 'STORE_UNUSABLE',
      message: expect.stringContaining(why) as string,
      hint: expect.stringContaining('restore a snapshot') as string,
    });
    await expect(SqliteStore.start({ directory })).rejects.toMatchObject({ code: 'STORE_UNUSABLE' });
  });

  test('a path that is a file, or leads through one', async () => {
    const directory = fixture.directory();
    writeFileSync(directory, '');
    for (const path of [directory, `${directory}/below`]) {
      await expect(SqliteStore.start({ directory: path })).rejects.toMatchObject({
        code: 'STORE_UNUSABLE',
        message: expect.stringContaining('file') as string,
      });
    }
  });

  test('a directory of another user', async () => {
    const directory = fixture.directory();
    mkdirSync(directory, { mode: 0o700 });
    if (process.getuid?.() !== 0) chmodSync(directory, 0);
    const child = fixture.start('refuse', directory);
    let output = '';
    child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    await once(child, 'close');
    expect(JSON.parse(output)).toMatchObject({
      code: 'STORE_UNUSABLE',
      message: `cannot use ${directory} as store: permission denied`,
      hint: expect.stringContaining('--data-dir') as string,
    });
  });
});

describe('SqliteStore after a failure', () => {
  test('that damages no data takes no writes until it is started again', async () => {
    const directory = fixture.directory();
    {
      await using store = await SqliteStore.start({ directory });
      await put(store, 'a');
      // A tool that changes the store behind its back makes the next write fail.
      tamper(directory, 'alter table lease rename to other');
      await expect(store.lease(1_000)).rejects.toMatchObject({ code: 'STORE_FAILED' });
      tamper(directory, 'alter table other rename to lease');
      await expect(put(store, 'b')).rejects.toMatchObject({ code: 'STORE_FAILED' });
      expect(store.status()).toMatchObject({
        leaderKnown: false,
        full: false,
        failure: expect.stringContaining('lease') as string,
      });
      expect(await keys(store)).toEqual(['a']);
    }
    await using store = await SqliteStore.start({ directory });
    await put(store, 'b');
    expect(await keys(store)).toEqual(['a', 'b']);
  });

  test('of a batch rejects every commit of it, and none of them is there', async () => {
    const directory = fixture.directory();
    await using store = await SqliteStore.start({ directory });
    await put(store, 'a');
    tamper(directory, 'alter table lease rename to other');
    const outcomes = await Promise.allSettled([put(store, 'b'), store.lease(1_000), put(store, 'c')]);
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(await keys(store)).toEqual(['a']);
    expect(store.status().revision).toBe(1);
  });

  test('in a row fails reads of it and all writes', async () => {
    const directory = fixture.directory();
    await using store = await SqliteStore.start({ directory });
    await put(store, 'a');
    tamper(directory, "update kv set v = 'changed'");
    await expect(store.read(ALL)).rejects.toThrow('the row of key "a" is not what was written');
    expect((await store.read(ALL, { keysOnly: true })).entries).toHaveLength(1);
    await expect(put(store, 'b')).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });
});

describe('SqliteStore that is full', () => {
  test('at its quota goes on reading and watching, and is well after a start with more', async () => {
    const directory = fixture.directory();
    const written: string[] = [];
    {
      await using store = await SqliteStore.start({ directory, quotaBytes: 200_000 });
      const full = fillUp(store, written);
      await expect(full).rejects.toMatchObject({ code: 'STORE_FULL' });
      expect(store.status()).toMatchObject({ full: true, leaderKnown: false });
      expect(await keys(store)).toEqual(written.toSorted());
      await expect(put(store, 'small')).rejects.toMatchObject({ code: 'STORE_FULL' });
    }
    await using store = await SqliteStore.start({ directory });
    expect(await keys(store)).toEqual(written.toSorted());
    await put(store, 'small');
  });

  test('because its disk is, keeps what it acknowledged', async (context) => {
    const directory = fixture.directory();
    const disk = path.dirname(directory);
    if (!mountSmallDisk(disk)) context.skip('mounting a small disk needs root');
    const written: string[] = [];
    try {
      writeFileSync(path.join(disk, 'ballast'), Buffer.alloc(500_000));
      {
        await using store = await SqliteStore.start({ directory });
        await expect(fillUp(store, written)).rejects.toMatchObject({ code: 'STORE_FULL' });
        expect(store.status()).toMatchObject({ full: true, leaderKnown: false });
        expect(await keys(store)).toEqual(written.toSorted());
      }
      rmSync(path.join(disk, 'ballast'));
      await using store = await SqliteStore.start({ directory });
      expect(await keys(store)).toEqual(written.toSorted());
      await put(store, 'small');
    } finally {
      execFileSync('umount', ['-l', disk]);
    }
  });
});

function mountSmallDisk(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function fillUp(store: Store, written: string[]): Promise<void> {
  for (let index = 0; index < 2_000; index++) {
    await put(store, `k${index}`, 'x'.repeat(2_000));
    written.push(`k${index}`);
  }
}
