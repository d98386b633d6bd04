import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { Compaction } from './compaction.ts';
import type { Compare, Revision, StoreStatus } from './contract.ts';
import { UNFENCED } from './fence.ts';

function world(engine: StoreStatus['engine'] = 'etcd') {
  const clock = new FakeClock();
  const compacted: Revision[] = [];
  const errors: unknown[] = [];
  const state = { revision: 0, leaderKnown: true, fence: UNFENCED() as Compare | null, error: null as Error | null };
  const store = {
    compact: async (before: Revision): Promise<void> => {
      if (state.error !== null) throw state.error;
      compacted.push(before);
    },
    status: () => ({ engine, full: false, version: '', compacted: 0, lastContactMs: 0, ...state }),
  };
  const options = { store, fence: () => state.fence, clock, report: (error: unknown) => errors.push(error) };
  return { clock, compacted, errors, state, options };
}

test('Compaction lets go of what is older than five minutes, every five minutes', async () => {
  const { clock, compacted, state, options } = world();
  await using _ = Compaction.start(options);
  for (const revision of [10, 20, 30]) {
    state.revision = revision;
    await clock.advance(300_000);
  }
  expect(compacted).toEqual([10, 20]);
});

test('Compaction waits for its duty and a leader, goes on after a failure, and ends when disposed of', async () => {
  const { clock, compacted, errors, state, options } = world();
  const compaction = Compaction.start(options);
  state.revision = 10;
  state.fence = null;
  await clock.advance(600_000);
  state.fence = UNFENCED();
  state.leaderKnown = false;
  await clock.advance(300_000);
  expect(compacted).toEqual([]);
  state.leaderKnown = true;
  state.error = new Error('no');
  await clock.advance(300_000);
  expect(errors).toEqual([state.error]);
  state.error = null;
  await clock.advance(300_000);
  expect(compacted).toEqual([10]);
  await compaction[Symbol.asyncDispose]();
  expect(clock.pending).toBe(0);
});

test('Compaction is not for embedded stores', async () => {
  const { clock, options } = world('sqlite');
  await using _ = Compaction.start(options);
  expect(clock.pending).toBe(0);
});
