import { describe, expect, test } from 'vitest';
import { parseGoFlags } from './go-flags.ts';

const KINDS = { dev: 'flag', port: 'number', node: 'text', join: 'list', meta: 'map' } as const;

describe('parseGoFlags() reads', () => {
  test.each<[words: string, flags: object, args?: string[]]>([
    ['', {}],
    ['-dev', { dev: true }],
    ['--dev=false', { dev: false }],
    ['-dev=T', { dev: true }],
    ['-port 1', { port: 1 }],
    ['--port=-1', { port: -1 }],
    ['-node=a=b', { node: 'a=b' }],
    ['-node=', { node: '' }],
    ['-node -dev', { node: '-dev' }],
    ['-join a -join=b', { join: ['a', 'b'] }],
    ['-meta a:b -meta c:d:e', { meta: { a: 'b', c: 'd:e' } }],
    ['-node a -node b', { node: 'b' }],
    ['-dev true -node x', { dev: true }, ['true', '-node', 'x']],
    ['-dev -- -node x', { dev: true }, ['-node', 'x']],
    ['key -dev', {}, ['key', '-dev']],
    ['-', {}, ['-']],
  ])('%s', (words, flags, args = []) => {
    const parsed = parseGoFlags(words.split(' ').filter(Boolean), KINDS);
    expect(Object.fromEntries(parsed.flags)).toEqual(flags);
    expect(parsed.args).toEqual(args);
  });
});

describe('parseGoFlags() refuses', () => {
  test.each([
    ['-nod x', 'flag provided but not defined: -nod'],
    ['-__proto__', 'flag provided but not defined'],
    ['-constructor=1', 'flag provided but not defined'],
    ['-port', 'flag needs an argument: -port'],
    ['-port x', 'invalid value "x" for flag -port'],
    ['-port=1.5', 'invalid value "1.5" for flag -port'],
    ['-dev=yes', 'invalid value "yes" for flag -dev'],
    ['-meta x', 'invalid value "x" for flag -meta'],
  ])('%s', (words, text) => {
    expect(() => parseGoFlags(words.split(' '), KINDS)).toThrow(text);
  });

  test('an unknown flag with the one that was meant', () => {
    expect(() => parseGoFlags(['-nod'], KINDS)).toThrow(expect.objectContaining({ hint: 'did you mean -node?' }));
  });
});
