import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { storeNoLeader } from '../../store/index.ts';
import { writeWhenPossible } from './write-when-possible.ts';

function world() {
  const clock = new FakeClock();
  const warnings: string[] = [];
  const state = { error: null as Error | null, written: 0, tried: 0 };
  const write = async (): Promise<void> => {
    state.tried++;
    if (state.error !== null) throw state.error;
    state.written++;
  };
  const start = () => writeWhenPossible(write, { clock, warn: (text) => warnings.push(text) });
  return { clock, warnings, state, start };
}

test('writeWhenPossible() writes at once, once', async () => {
  const { clock, warnings, state, start } = world();
  await start();
  await clock.advance(10_000);
  expect([state.written, warnings]).toEqual([1, []]);
});

test('writeWhenPossible() goes on without a leader, and writes when there is one', async () => {
  const { clock, warnings, state, start } = world();
  state.error = storeNoLeader('nobody is there');
  await start();
  await clock.advance(5_000);
  state.error = null;
  await clock.advance(5_000);
  expect([state.written, warnings.length]).toEqual([1, 1]);
  expect(clock.pending).toBe(0);
});

test('writeWhenPossible() throws what the store has nothing to do with, and says it when it comes later', async () => {
  const { clock, warnings, state, start } = world();
  state.error = new Error('no');
  await expect(start()).rejects.toThrow('no');
  state.error = storeNoLeader('nobody is there');
  await start();
  state.error = new Error('no');
  await clock.advance(5_000);
  expect(warnings.at(-1)).toBe('no');
});

test('writeWhenPossible() ends when it is told to', async () => {
  const { clock, state, start } = world();
  state.error = storeNoLeader('nobody is there');
  const stop = await start();
  stop();
  await clock.advance(5_000);
  expect([state.tried, clock.pending]).toEqual([1, 0]);
});
