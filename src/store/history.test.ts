import { expect, test } from 'vitest';
import { prefixRange } from './contract.ts';
import type { Batch } from './contract.ts';
import { History } from './history.ts';

const batch = (revision: number): Batch => ({ revision, events: [{ type: 'delete', key: `k${revision % 3}` }] });
const ALL = prefixRange('');

async function take(history: History, after: number, count: number): Promise<number[]> {
  const seen: number[] = [];
  for await (const { revision } of history.watch(ALL, after, new AbortController().signal)) {
    seen.push(revision);
    if (seen.length === count) break;
  }
  return seen;
}

test('History.publish() keeps so many revisions', async () => {
  const history = new History({ revision: 100, capacity: 4 });
  for (let revision = 101; revision <= 110; revision++) history.publish([batch(revision)]);
  expect([history.revision, history.compacted]).toEqual([110, 106]);
  expect(await take(history, 106, 4)).toEqual([107, 108, 109, 110]);
  await expect(take(history, 105, 1)).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
});

test('History.publish() lets go of the oldest when large values would fill the memory, but never of what it brings', async () => {
  const put = (revision: number, bytes: number): Batch => ({
    revision,
    events: [
      {
        type: 'put',
        entry: { key: 'k', value: 'x'.repeat(bytes - 1), createRevision: revision, modRevision: revision },
      },
    ],
  });
  const history = new History({ revision: 0, maxBytes: 1_000 });
  for (let revision = 1; revision <= 20; revision++) history.publish([put(revision, 100)]);
  expect(history.compacted).toBe(10);
  expect(await take(history, 10, 10)).toHaveLength(10);
  history.publish([put(21, 600), put(22, 600), put(23, 600)]);
  expect(history.compacted).toBe(20);
  history.publish([put(24, 100)]);
  expect([history.compacted, await take(history, 22, 2)]).toEqual([22, [23, 24]]);
  history.compact(23);
  for (let revision = 25; revision <= 33; revision++) history.publish([put(revision, 100)]);
  expect(history.compacted).toBe(23);
});

test('History.compact() goes forward only, and not into the future', () => {
  const history = new History({ revision: 0, capacity: 10 });
  history.publish([batch(1), batch(2), batch(3)]);
  history.compact(2);
  history.compact(1);
  expect(history.compacted).toBe(2);
  history.compact(99);
  expect(history.compacted).toBe(3);
});

test('History.reached() resolves at its revision, or when it is released', async () => {
  const history = new History({ revision: 0 });
  const reached: number[] = [];
  for (const revision of [0, 1, 2, 5]) void history.reached(revision).then(() => reached.push(revision));
  history.publish([batch(1), batch(2)]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(reached).toEqual([0, 1, 2]);
  history.release();
  await new Promise((resolve) => setImmediate(resolve));
  expect(reached).toEqual([0, 1, 2, 5]);
  await history.reached(9);
});

test('History.watch() leaves no listener behind', async () => {
  const history = new History({ revision: 0 });
  const abort = new AbortController();
  const watch = history.watch(ALL, 0, abort.signal);
  const next = watch.next();
  abort.abort();
  expect(await next).toEqual({ done: true, value: undefined });
  history.publish([batch(1)]);
  expect(await watch.next()).toEqual({ done: true, value: undefined });
});

test.each([0, -1, 1.5, Number.NaN])('History refuses a capacity of %d', (capacity) => {
  expect(() => new History({ revision: 0, capacity })).toThrow(RangeError);
});

test('History.watch() gives revisions without events to those who follow everything, and to nobody else', async () => {
  const history = new History({ revision: 0, capacity: 10 });
  history.publish([batch(1), { revision: 2, events: [] }, batch(4 - 1)]);
  expect(await take(history, 0, 3)).toEqual([1, 2, 3]);
  const seen: number[] = [];
  for await (const { revision } of history.watch(prefixRange('k'), 0, new AbortController().signal)) {
    seen.push(revision);
    if (seen.length === 2) break;
  }
  expect(seen).toEqual([1, 3]);
});

test('History.restart() ends those who stand before it, also where it is the next revision', async () => {
  const history = new History({ revision: 5, capacity: 10 });
  const signal = new AbortController().signal;
  const waiting = history.watch(ALL, 5, signal).next();
  history.restart(6);
  await expect(waiting).rejects.toMatchObject({ code: 'STORE_COMPACTED' });
  expect([history.revision, history.compacted]).toEqual([6, 6]);
  history.publish([batch(7)]);
  expect(await take(history, 6, 1)).toEqual([7]);
});
