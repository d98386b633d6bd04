import { expect, test } from 'vitest';
import type { Batch } from '../contract.ts';
import { GroupCommit } from './group-commit.ts';
import type { Operation } from './operation.ts';
import type { Cell } from './tape.ts';

const put = (key: string): Operation => ({
  type: 'txn',
  txn: { compares: [], writes: [{ type: 'put', key, value: 'v' }] },
});

function start(): { commits: GroupCommit; sent: (readonly Cell[])[]; log: string[] } {
  const sent: (readonly Cell[])[] = [];
  const log: string[] = [];
  const commits = new GroupCommit({
    base: 100,
    send: (cells) => sent.push(cells),
    publish: (batches: readonly Batch[]) => log.push(...batches.map((batch) => `published ${batch.revision}`)),
  });
  return { commits, sent, log };
}

const keysIn = (cells: readonly Cell[] | undefined): Cell[] =>
  (cells ?? []).filter((cell) => String(cell).startsWith('k'));
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('GroupCommit.submit() sends what one turn commits together, and the rest when that is durable', async () => {
  const { commits, sent } = start();
  void commits.submit(put('k1'));
  void commits.submit(put('k2'));
  expect(sent).toEqual([]);
  await turn();
  expect(sent.map(keysIn)).toEqual([['k1', 'k2']]);
  void commits.submit(put('k3'));
  void commits.submit(put('k4'));
  await turn();
  expect(sent).toHaveLength(1);
  commits.settle([1, 1, 1, 1, 2, 2]);
  expect(sent.map(keysIn)).toEqual([
    ['k1', 'k2'],
    ['k3', 'k4'],
  ]);
});

test('GroupCommit.settle() publishes before it answers, in order', async () => {
  const { commits, log } = start();
  for (const key of ['k1', 'k2', 'k3'])
    void commits.submit(put(key)).then(({ revision }) => log.push(`answered ${revision}`));
  await turn();
  commits.settle([1, 7, 7, 0, 7, 0, 1, 8, 7]);
  expect(log).toEqual(['published 107', 'published 108']);
  await turn();
  expect(log.slice(2)).toEqual(['answered 107', 'answered 107', 'answered 108']);
});

test('GroupCommit sends at most 1,024 operations in one batch', async () => {
  const { commits, sent } = start();
  for (let index = 0; index < 1_500; index++) void commits.submit(put(`k${index}`));
  await turn();
  expect(keysIn(sent[0])).toHaveLength(1_024);
  commits.settle(Array.from({ length: 1_024 }, (_, index) => [1, index + 1, index + 1]).flat());
  expect(keysIn(sent[1])).toHaveLength(476);
});

test('GroupCommit.fail() rejects what is sent, what waits, and what comes', async () => {
  const { commits, sent } = start();
  const first = commits.submit(put('k1'));
  await turn();
  const second = commits.submit(put('k2'));
  const outcomes = Promise.allSettled([first, second]);
  commits.fail(new Error('no disk'));
  commits.fail(new Error('another'));
  expect((await outcomes).map((outcome) => outcome.status === 'rejected' && String(outcome.reason))).toEqual([
    'Error: no disk',
    'Error: no disk',
  ]);
  await expect(commits.submit(put('k3'))).rejects.toThrow('no disk');
  await commits.drain();
  expect(sent).toHaveLength(1);
});

test('GroupCommit.drain() waits for all that was submitted', async () => {
  const { commits } = start();
  await commits.drain();
  void commits.submit(put('k1'));
  await turn();
  void commits.submit(put('k2'));
  let drained = false;
  const draining = commits.drain().then(() => (drained = true));
  commits.settle([1, 1, 1]);
  await turn();
  expect(drained).toBe(false);
  commits.settle([1, 2, 2]);
  await draining;
});
