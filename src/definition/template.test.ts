import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { escapeBraces, formatTemplate, namesIn, parseTemplate, renderTemplate, splitName } from './template.ts';

const lookUp = (values: Record<string, string>) => (name: string) => values[name];

describe('parseTemplate()', () => {
  test.each([
    ['http://{HOST}:{PORT}/some-mount', ['HOST', 'PORT']],
    ['http://{host}:{port}', ['host', 'port']],
    ['{READONLY_API_URL}', ['READONLY_API_URL']],
    ['{A}{B}{A}', ['A', 'B']],
    ['{api.API_URL}', ['api.API_URL']],
    ['{app-www.WWW_URL}', ['app-www.WWW_URL']],
    ['{META.rack-unit}', ['META.rack-unit']],
    ['plain', []],
    ['', []],
    ['{{literal}}', []],
    ['{{{A}}}', ['A']],
    ['http://elastic-ec2-01,elastic-ec2-02:9200', []],
  ])('finds in %j the names %j', (text, names) => {
    expect(namesIn(parseTemplate(text))).toEqual(names);
  });

  test.each([
    ['{', 'a lone "{"'],
    ['}', 'a lone "}"'],
    ['http://{HOST', 'a lone "{"'],
    ['http://HOST}', 'a lone "}"'],
    ['{}', 'empty braces'],
    ['{ HOST }', '"{ HOST }" names nothing'],
    ['{"a": 1}', 'names nothing'],
    ['{1A}', 'names nothing'],
    ['{A.}', 'names nothing'],
    ['{A B}', 'names nothing'],
    ['{a{B}c}', 'a lone'],
    ['{A\n}', 'names nothing'],
  ])('refuses %j', (text, message) => {
    expect(() => parseTemplate(text)).toThrow(message);
  });

  test('names the brace to double when one stands alone', () => {
    expect(() => parseTemplate('a{')).toThrow(expect.objectContaining({ hint: expect.stringContaining('{{') }));
  });

  test('is what formatTemplate() wrote, for any parts', () => {
    const name = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,5}$/);
    const parts = fc.array(
      fc.oneof(
        name.map((one) => `{${one}}`),
        fc.string().map(escapeBraces),
      ),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(parts, (texts) => {
        const text = texts.join('');
        expect(formatTemplate(parseTemplate(text))).toBe(text);
      }),
      { numRuns: 100 },
    );
  });
});

describe('renderTemplate()', () => {
  test.each([
    ['http://{HOST}:{PORT}', { HOST: 'h', PORT: '1' }, 'http://h:1'],
    ['{A}', { A: '{B}' }, '{B}'],
    ['{{{A}}}', { A: 'x' }, '{x}'],
    ['{A}', { A: '' }, ''],
    ['', {}, ''],
  ])('fills %j', (text, values, expected) => {
    expect(renderTemplate(parseTemplate(text), lookUp(values as Record<string, string>))).toBe(expected);
  });

  test('gives undefined when one name has no value', () => {
    expect(renderTemplate(parseTemplate('a{A}b{B}'), lookUp({ A: '1' }))).toBeUndefined();
  });

  test('gives any text back when its braces were escaped', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('{', '}', 'a', '$', '\n', 'é', '💥') }), (text) => {
        const template = parseTemplate(escapeBraces(text));
        expect(namesIn(template)).toEqual([]);
        expect(renderTemplate(template, () => undefined)).toBe(text);
      }),
      { numRuns: 200 },
    );
  });
});

test.each([
  ['API_URL', { service: null, name: 'API_URL' }],
  ['api.API_URL', { service: 'api', name: 'API_URL' }],
  ['a.b.C', { service: 'a.b', name: 'C' }],
])('splitName() splits %s', (text, expected) => {
  expect(splitName(text)).toEqual(expected);
});
