import { expect, test } from 'vitest';
import { checkedName, MAX_NAME_OCTETS } from './checked-name.ts';
import { parseInstance } from './parse-instance.ts';
import { textIn } from './fields.ts';

test.each(['a', 'nöde', 'a b', '../../etc/x', '__proto__', '"; rm -rf ~', 'ü'.repeat(127)])(
  'checkedName() takes %j as it is',
  (name) => {
    expect(checkedName(name, 'a name')).toBe(name);
  },
);

test.each(['a\nb', '\0', 'a\rb', '\u001b[2J', '\u009b31m', '\u007f', 'x\u2028', 'x'.repeat(256), 'ü'.repeat(128)])(
  'checkedName() refuses %j',
  (name) => {
    expect(() => checkedName(name, 'the id of a service')).toThrow(/^the id of a service (has|holds)/);
  },
);

test('checkedName() lets no name through that would not fit a line of HAProxy with its node’s', () => {
  const escaped = ':C3'.repeat(MAX_NAME_OCTETS);
  expect(
    `  server ${escaped}:2F${escaped} [ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535 weight 256\n`.length,
  ).toBeLessThan(2_048);
});

test.each(['id', 'name', 'address'])('parseInstance() refuses a control character and 300 characters in %s', (key) => {
  for (const bad of ['a\nb', 'a'.repeat(300)])
    expect(() => parseInstance({ name: 'x', [key]: bad })).toThrow(/control character|at most 255/);
});

test('textIn() refuses half a surrogate pair, which no file, key or address can hold', () => {
  expect(() => textIn({ name: 'a\ud800' }, 'name')).toThrow('Request decode failed: name: expected Unicode text');
  expect(textIn({ name: '😀' }, 'name')).toBe('😀');
});
