import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfText, decodeBytes, isPrintable, textOfBytes } from './percent.ts';

test('decodeBytes() gives every byte back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const escaped = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
      expect(decodeBytes(escaped)).toBe(Buffer.from(bytes).toString('latin1'));
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['a/b', 'a/b'],
  ['a%2Fb', 'a/b'],
  ['a+b', 'a+b'],
  ['%25', '%'],
  ['\u00c3\u00a7', '\u00c3\u00a7'],
])('decodeBytes(%j) is %j', (text, bytes) => {
  expect(decodeBytes(text)).toBe(bytes);
});

test.each(['%', '%1', '%zz', 'a%', '%%41', '%4'])('decodeBytes(%j) is undefined', (text) => {
  expect(decodeBytes(text)).toBeUndefined();
});

test('textOfBytes() reads UTF-8, and what is not becomes U+FFFD', () => {
  expect(textOfBytes(decodeBytes('%C3%A7a') as string)).toBe('ça');
  expect(textOfBytes('\u00ff')).toBe('\u{fffd}');
});

test('bytesOfText() is undone by textOfBytes()', () => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (text) => textOfBytes(bytesOfText(text)) === text));
});

test.each(['', 'web', 'a b', 'ça', 'a/b#:1', '\u{fffd}', '\u{1f600}'])('isPrintable(%j) is true', (text) => {
  expect(isPrintable(text)).toBe(true);
});

test.each(['\0', 'a\nb', '\u007f', '\u0085', '\u200b', '\u00a0', '\ufeff'])('isPrintable(%j) is false', (text) => {
  expect(isPrintable(text)).toBe(false);
});
