import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sealArchive } from '../lib/index.ts';
import type { Entry } from './contract.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { ALL, ModelStore, modelSteps, txnOf } from './model.ts';
import { readSnapshot, restoreSnapshot, takeSnapshot } from './snapshot.ts';

const ABOUT = { version: '1', region: 'aws', at: '2026-01-01T00:00:00.000Z' };
const FLOOR = 'floor/x';

const valuesOf = (entries: readonly Entry[]): string[][] =>
  entries.filter(({ key }) => key !== FLOOR).map(({ key, value }) => [key, value]);

test('restoreSnapshot() brings back the state of the snapshot, whatever happened since, above all revisions', async () => {
  await fc.assert(
    fc.asyncProperty(modelSteps, modelSteps, async (before, after) => {
      await using store = await MemoryStore.start();
      const model = new ModelStore(0);
      const run = async (steps: typeof before): Promise<void> => {
        for (const step of steps) {
          const txn = txnOf(step, model);
          model.commit(txn);
          await store.commit(txn);
        }
      };
      await run(before);
      const saved = await store.read(ALL);
      const { archive } = await takeSnapshot(store, ABOUT);
      await run(after);
      const last = store.status().revision;
      const revision = await restoreSnapshot(store, await readSnapshot(archive), [FLOOR]);
      const { entries } = await store.read(ALL);
      expect(valuesOf(entries)).toEqual(valuesOf(saved.entries));
      expect(entries.every((entry) => entry.createRevision > last && entry.modRevision <= revision)).toBe(true);
      const order = (all: readonly Entry[]): string[] =>
        all
          .filter(({ key }) => key !== FLOOR)
          .toSorted((a, b) => a.modRevision - b.modRevision || (a.key < b.key ? -1 : 1))
          .map(({ key }) => key);
      expect(order(entries)).toEqual(order(saved.entries));
    }),
    { numRuns: 40 },
  );
});

test('restoreSnapshot() into a fresh store lies above the revisions of the one that is lost, and raises floors', async () => {
  await using lost = await MemoryStore.start({ base: 50_000 });
  await lost.commit({ compares: [], writes: [{ type: 'put', key: 'kv/\u{ff}', value: 'ü' }] });
  const { archive, meta } = await takeSnapshot(lost, ABOUT);
  await using fresh = await MemoryStore.start();
  const revision = await restoreSnapshot(fresh, await readSnapshot(archive), [FLOOR]);
  expect(revision).toBeGreaterThan(meta.index);
  const [floor, entry] = (await fresh.read(ALL)).entries;
  expect([floor?.key, JSON.parse(floor?.value ?? '')]).toEqual([FLOOR, { revision }]);
  expect([entry?.key, entry?.value]).toEqual(['kv/\u{ff}', 'ü']);
  const again = await restoreSnapshot(fresh, await readSnapshot(archive), [FLOOR]);
  expect(again).toBeGreaterThan(revision);
  expect(again).toBeLessThan(revision * 3);
});

test('takeSnapshot() leaves out what belongs to those who run', async () => {
  await using store = await MemoryStore.start();
  const keys = ['own/n1', 'srv/a', 'lead/reaper', 'alive/n1', 'kv/own/x'];
  await store.commit({ compares: [], writes: keys.map((key) => ({ type: 'put', key, value: '' })) });
  const { entries } = await readSnapshot((await takeSnapshot(store, ABOUT)).archive);
  expect(entries.map(({ key }) => key)).toEqual(['alive/n1', 'kv/own/x']);
});

test('takeSnapshot() refuses to take what could not be restored', async () => {
  await using store = await MemoryStore.start();
  await store.commit({ compares: [], writes: [{ type: 'put', key: 'a', value: 'x'.repeat(1_000) }] });
  await expect(takeSnapshot(store, ABOUT, 66_000)).rejects.toMatchObject({ code: 'STORE_SNAPSHOT_TOO_LARGE' });
});

const META = { format: 'drover-snapshot', layout: 1, index: 5, ...ABOUT, entries: 1 };
const LINE = '["a",1,1,"v"]\n';

describe('readSnapshot() refuses', () => {
  test.each<[string, Record<string, string>, RegExp]>([
    ['an archive of something else', { other: '' }, /expected meta\.json and state/],
    ['more files', { 'meta.json': JSON.stringify(META), state: LINE, more: '' }, /meta\.json, state, more/],
    ["Consul's own", { 'meta.json': '{"Version":1}', state: LINE }, /not a snapshot of drover/],
    ['a newer layout', { 'meta.json': JSON.stringify({ ...META, layout: 2 }), state: LINE }, /layout 2/],
    ['another count', { 'meta.json': JSON.stringify(META), state: '' }, /0 entries, its meta\.json says 1/],
    ['a cut state', { 'meta.json': JSON.stringify(META), state: '["a",1' }, /cut off/],
    ['a line that is no JSON', { 'meta.json': JSON.stringify(META), state: '["a",1\n' }, /not JSON/],
    ['a line that is no entry', { 'meta.json': JSON.stringify(META), state: '["a","1",1,"v"]\n' }, /no entry/],
    ['a meta.json without index', { 'meta.json': JSON.stringify({ ...META, index: 'x' }), state: LINE }, /complete/],
  ])('%s', async (_name, files, why) => {
    const archive = await sealArchive(new Map(Object.entries(files).map(([name, text]) => [name, Buffer.from(text)])));
    await expect(readSnapshot(archive)).rejects.toMatchObject({
      code: 'STORE_BAD_SNAPSHOT',
      message: expect.stringMatching(why) as string,
    });
  });

  test('what is no archive', async () => {
    await expect(readSnapshot(Buffer.from('x'))).rejects.toMatchObject({ code: 'STORE_BAD_SNAPSHOT' });
  });
});
