import { expect, test } from 'vitest';
import { Slots } from './slots.ts';

test('Slots.take() lets at most that many work at once, in order', async () => {
  const slots = new Slots(2);
  const order: number[] = [];
  let working = 0;
  let most = 0;
  const work = async (id: number): Promise<void> => {
    const giveBack = await slots.take();
    most = Math.max(most, ++working);
    await Promise.resolve();
    order.push(id);
    working--;
    giveBack();
    giveBack();
  };
  await Promise.all([1, 2, 3, 4, 5].map((id) => work(id)));
  expect(most).toBe(2);
  expect(order).toEqual([1, 2, 3, 4, 5]);
});

test('Slots.take() rejects when aborted while waiting, and the slot goes to the next', async () => {
  const slots = new Slots(1);
  const giveBack = await slots.take();
  const abort = new AbortController();
  const given = slots.take(abort.signal);
  const next = slots.take();
  abort.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  expect(slots.waiting).toBe(1);
  giveBack();
  (await next)();
  expect(slots.waiting).toBe(0);
  await expect(slots.take(AbortSignal.abort(new Error('before')))).rejects.toThrow('before');
});

test('Slots() refuses a size below one', () => {
  expect(() => new Slots(0)).toThrow('at least one slot');
});
