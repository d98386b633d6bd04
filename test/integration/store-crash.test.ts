import { once } from 'node:events';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DroverError } from '../../src/lib/index.ts';
import { prefixRange, SqliteStore } from '../../src/store/index.ts';
import type { Entry } from '../../src/store/index.ts';
import { kill, seededRandom, storeFixture } from './store-fixture.ts';

const ALL = prefixRange('');
const fixture = storeFixture();

interface Acknowledged {
  /** Revision of the last acknowledged put; undefined once the deletion is acknowledged. */
  readonly entries: Map<string, number | undefined>;
  revision: number;
}

/** Runs 32 writers in a process of their own for so long, kills it, and notes what it acknowledged. */
async function writeUntilKilled(directory: string, run: string, forMs: number, known: Acknowledged): Promise<void> {
  const child = fixture.start('write', directory, run);
  let output = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
  await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
  await sleep(forMs);
  await kill(child);
  // The last line may be torn: then its acknowledgement was not given.
  for (const line of output.split('\n').slice(0, -1)) {
    const [type, key = '', revision] = line.split(' ');
    known.entries.set(key, type === 'put' ? Number(revision) : undefined);
    known.revision = Math.max(known.revision, Number(revision));
  }
}

/** What a torn write may leave behind the last frame of the log. */
const DAMAGE = [
  Buffer.alloc(0),
  Buffer.from(Array.from({ length: 5_000 }, (_, index) => (index * 7_919) % 251)),
  Buffer.alloc(4_120),
];

test('a store killed under 32 writers, its log damaged behind its end, loses nothing acknowledged', async () => {
  const directory = fixture.directory();
  const random = seededRandom(20_261);
  const known: Acknowledged = { entries: new Map(), revision: 0 };
  let before = 0;
  for (let round = 0; round < 6; round++) {
    await writeUntilKilled(directory, `r${round}`, 30 + random() * 400, known);
    appendFileSync(path.join(directory, 'store.db-wal'), DAMAGE[round % 3] as Buffer);
    await using store = await SqliteStore.start({ directory });
    const { entries, revision } = await store.read(ALL);
    expect(revision).toBeGreaterThanOrEqual(Math.max(before, known.revision));
    before = revision;
    expect(missing(entries, known)).toEqual([]);
  }
  expect(known.entries.size).toBeGreaterThan(200);
});

test('a store killed while it is restored holds one whole state, the acknowledged one or a later', async () => {
  const directory = fixture.directory();
  const random = seededRandom(7);
  let lowest = 0;
  for (let round = 0; round < 4; round++) {
    const child = fixture.start('restore', directory, '');
    let output = '';
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text));
    await once(child.stdout as NonNullable<typeof child.stdout>, 'data');
    await sleep(20 + random() * 150);
    await kill(child);
    const acknowledged = output.split('\n').slice(0, -1).at(-1)?.split(' ') ?? [];
    await using store = await SqliteStore.start({ directory });
    const { entries, revision } = await store.read(ALL);
    const [turn] = new Set(entries.map(({ value }) => Number(value)));
    expect(entries.every(({ value }) => value === String(turn))).toBe(true);
    expect(entries).toHaveLength(5_000 + ((turn ?? 0) % 7));
    expect(turn).toBeGreaterThanOrEqual(Number(acknowledged[1]));
    expect(revision).toBeGreaterThanOrEqual(Math.max(lowest, Number(acknowledged[2])));
    lowest = revision;
  }
});

/** Acknowledged keys that are not as they were acknowledged; in-flight changes may have happened or not. */
function missing(entries: readonly Entry[], known: Acknowledged): string[] {
  const stored = new Map(entries.map((entry) => [entry.key, entry]));
  return [...known.entries].flatMap(([key, revision]) => {
    const entry = stored.get(key);
    if (revision === undefined) return entry === undefined ? [] : [`${key} is back`];
    // Every third key is deleted right after its put: the kill may have come between deletion and acknowledgement.
    if (entry === undefined) return Number(key.split('/')[2]) % 3 === 0 ? [] : [`${key} is lost`];
    return entry.modRevision === revision && entry.value.startsWith(`${key}:`) ? [] : [`${key} is changed`];
  });
}

test('a store with a flipped bit gives an error or all of its content, never less', async () => {
  const directory = fixture.directory();
  const file = path.join(directory, 'store.db');
  const whole = await fill(directory);
  const good = readFileSync(file);
  const random = seededRandom(7);
  const outcomes: Record<string, number> = {};
  for (let flip = 0; flip < 40; flip++) {
    const bad = Buffer.from(good);
    // The file's header is small but matters most: every fourth flip goes there.
    const at = Math.floor(random() * (flip % 4 === 0 ? 200 : bad.length));
    bad.writeUInt8(bad.readUInt8(at) ^ (1 << (flip % 8)), at);
    writeFileSync(file, bad);
    const outcome = await readOrError(directory, whole);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
  }
  expect(
    Object.keys(outcomes)
      .toSorted()
      .filter((outcome) => !EXPECTED.includes(outcome)),
  ).toEqual([]);
  expect(outcomes['STORE_UNUSABLE']).toBeGreaterThan(5);
}, 60_000);

const EXPECTED = ['whole', 'STORE_UNUSABLE', 'STORE_FAILED', 'STORE_NEWER_LAYOUT'];

async function fill(directory: string): Promise<string> {
  await using store = await SqliteStore.start({ directory });
  for (let round = 0; round < 10; round++) {
    const writes = Array.from({ length: 60 }, (_, index) => {
      const key = `k/${(index * 37) % 60}/${round}`;
      return { type: 'put', key, value: `value of ${key} ${'x'.repeat(index * 4)}` } as const;
    });
    await store.commit({ compares: [], writes });
  }
  return JSON.stringify(await store.read(ALL));
}

async function readOrError(directory: string, whole: string): Promise<string> {
  try {
    await using store = await SqliteStore.start({ directory });
    return JSON.stringify(await store.read(ALL)) === whole ? 'whole' : 'less';
  } catch (error) {
    return error instanceof DroverError ? error.code : String(error);
  }
}
