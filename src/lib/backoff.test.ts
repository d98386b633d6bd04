import { expect, test } from 'vitest';
import { Backoff } from './backoff.ts';

test('Backoff.next() doubles up to the cap', () => {
  const backoff = new Backoff({ firstMs: 500, mostMs: 5_000 });
  expect(Array.from({ length: 6 }, () => backoff.next())).toEqual([500, 1_000, 2_000, 4_000, 5_000, 5_000]);
  expect(backoff.failures).toBe(6);
});

test('Backoff.reset() begins anew', () => {
  const backoff = new Backoff({ firstMs: 10, mostMs: 100 });
  backoff.next();
  backoff.next();
  backoff.reset();
  expect(backoff.next()).toBe(10);
});

test('Backoff.next() stays at the cap after any number of failures', () => {
  const backoff = new Backoff({ firstMs: 1, mostMs: 1_800_000 });
  for (let i = 0; i < 5_000; i++) backoff.next();
  expect(backoff.next()).toBe(1_800_000);
});

test('Backoff() takes a cap below the first wait as the first wait, and refuses a wait of 0', () => {
  expect(new Backoff({ firstMs: 10, mostMs: 1 }).next()).toBe(10);
  expect(() => new Backoff({ firstMs: 0, mostMs: 1 })).toThrow('above 0 ms');
});
