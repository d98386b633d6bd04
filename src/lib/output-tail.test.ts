import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutputTail } from './output-tail.ts';

function tailOf(chunks: readonly (string | Buffer)[], limit: number): OutputTail {
  const tail = new OutputTail(limit);
  for (const chunk of chunks) tail.push(Buffer.from(chunk as string));
  return tail;
}

test.each([
  [[], 8, ''],
  [['abc'], 8, 'abc'],
  [['abc', 'def'], 6, 'abcdef'],
  [['abc', 'def', 'g'], 6, 'bcdefg'],
  [['0123456789'], 4, '6789'],
  [['aé'], 2, 'é'],
  [['é', 'ab'], 3, 'ab'],
  [['a', '😀'], 4, '😀'],
  [['😀', 'a'], 4, 'a'],
])('OutputTail.text() is the end of %j in %i bytes, from a whole character on', (chunks, limit, text) => {
  expect(tailOf(chunks, limit).text()).toBe(text);
});

test('OutputTail.text() gives less when asked for less', () => {
  expect(tailOf(['abcdef'], 6).text(2)).toBe('ef');
});

test('OutputTail never gives more bytes than its limit, whatever was pushed, and counts all of them', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 });
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 50 }), (pushed, limit) => {
      const tail = tailOf(
        pushed.map((chunk) => Buffer.from(chunk)),
        limit,
      );
      const all = Buffer.concat(pushed);
      expect(tail.totalBytes).toBe(all.length);
      expect(Buffer.byteLength(tail.text())).toBeLessThanOrEqual(limit);
    }),
    { numRuns: 100 },
  );
});

test('OutputTail keeps what fits of a text as it was, however it was cut into chunks', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 9 }), (text, size) => {
      const bytes = Buffer.from(text);
      const tail = new OutputTail(bytes.length);
      for (let at = 0; at < bytes.length; at += size) tail.push(bytes.subarray(at, at + size));
      expect(tail.text()).toBe(text);
    }),
    { numRuns: 100 },
  );
});
