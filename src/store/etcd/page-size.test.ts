import { expect, test } from 'vitest';
import { PageSize } from './page-size.ts';

const page = (entries: number, bytes: number): { key: Uint8Array; value: Uint8Array }[] =>
  Array.from({ length: entries }, () => ({ key: new Uint8Array(0), value: { length: bytes } as Uint8Array }));

test('PageSize grows with small entries up to a bound, and shrinks at once with large ones', () => {
  const size = new PageSize();
  expect(size.entries).toBe(500);
  size.saw(page(500, 300));
  expect(size.entries).toBe(2_000);
  for (let round = 0; round < 5; round++) size.saw(page(size.entries, 300));
  expect(size.entries).toBe(50_000);
  size.saw(page(10, 500_000));
  expect(size.entries).toBe(32);
  size.saw(page(1, 100_000_000));
  expect(size.entries).toBe(16);
  size.saw([]);
  expect(size.entries).toBe(16);
});
