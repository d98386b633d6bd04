import { expect, test } from 'vitest';
import { keyPrefixText, keyText } from './key-text.ts';

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

test.each([
  ['', ''],
  ['app/a', 'app/a'],
  [bytes('geheimé/x'), 'geheimé/x'],
  ['a\xff', 'a\uFFFD'],
])('keyText(%j) is %j', (key, text) => {
  expect(keyText(key)).toBe(text);
});

test.each([
  ['', ''],
  ['app/', 'app/'],
  [bytes('é'), 'é'],
  ['\xc3', ''],
  [`geheim${bytes('é').slice(0, 1)}`, 'geheim'],
  [`a${bytes('€').slice(0, 1)}`, 'a'],
  [`a${bytes('€').slice(0, 2)}`, 'a'],
  [bytes('a€'), 'a€'],
  [`a${bytes('😀').slice(0, 1)}`, 'a'],
  [`a${bytes('😀').slice(0, 3)}`, 'a'],
  [bytes('a😀'), 'a😀'],
  ['a\x80', 'a\uFFFD'],
])('keyPrefixText(%j) is %j', (prefix, text) => {
  expect(keyPrefixText(prefix)).toBe(text);
});

test('whatever a key is cut to, its text begins with that of the cut', () => {
  const key = bytes('a/é€😀/z');
  for (let end = 0; end <= key.length; end++)
    expect(keyText(key).startsWith(keyPrefixText(key.slice(0, end)))).toBe(true);
});
