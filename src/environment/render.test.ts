import { parseEnv } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { processEnvironment, quoteForShell, renderEnvironment } from './render.ts';
import { environmentOf, variableOf } from './testing.ts';

const REVEAL = { reveal: true };
const plain = environmentOf('app', { ENV: 'production', MOTTO: `it's "here"`, LINES: 'a\nb' });
const withSecret = {
  service: 'app',
  variables: [
    variableOf('ENV', 'production'),
    variableOf('DATABASE_URL', 'mysql://user:hunter2@db/app', { secret: true }),
  ],
};

describe('renderEnvironment()', () => {
  test('writes export lines that a shell reads back', () => {
    expect(renderEnvironment(plain, 'shell', REVEAL)).toBe(
      `export ENV='production'\nexport MOTTO='it'\\''s "here"'\nexport LINES='a\nb'\n`,
    );
  });

  test('writes dotenv lines with a quote that the value does not hold', () => {
    expect(renderEnvironment(plain, 'dotenv', REVEAL)).toBe(`ENV='production'\nMOTTO=\`it's "here"\`\nLINES='a\nb'\n`);
  });

  test('writes JSON in the order of the variables', () => {
    expect(renderEnvironment(plain, 'json', REVEAL)).toBe(
      `${JSON.stringify({ ENV: 'production', MOTTO: `it's "here"`, LINES: 'a\nb' }, null, 2)}\n`,
    );
  });

  test.each(['shell', 'dotenv', 'json'] as const)('keeps secrets out of %s unless they are revealed', (format) => {
    const text = renderEnvironment(withSecret, format, { reveal: false });
    expect(text).not.toContain('hunter2');
    expect(text).toContain('production');
    expect(renderEnvironment(withSecret, format, REVEAL)).toContain('hunter2');
  });

  test('prints a hidden secret as a comment line', () => {
    expect(renderEnvironment(withSecret, 'shell', { reveal: false })).toBe(
      `export ENV='production'\n# DATABASE_URL is secret: --reveal prints it\n`,
    );
  });

  test('leaves out what has no value', () => {
    const environment = { service: 'app', variables: [variableOf('API_URL', null), variableOf('A', '')] };
    expect(renderEnvironment(environment, 'shell', REVEAL)).toBe(`export A=''\n`);
  });

  test.each([
    ['X;touch /tmp/x', 'ENVIRONMENT_BAD_NAME'],
    ['1A', 'ENVIRONMENT_BAD_NAME'],
    ['', 'ENVIRONMENT_BAD_NAME'],
    ['A B', 'ENVIRONMENT_BAD_NAME'],
    ['A\nB', 'ENVIRONMENT_BAD_NAME'],
  ])('refuses the name %j, which a shell would run', (name, code) => {
    expect(() => renderEnvironment(environmentOf('app', { [name]: 'x' }), 'shell', REVEAL)).toThrow(
      expect.objectContaining({ code }),
    );
  });

  test('refuses NUL without showing the value', () => {
    const failing = (): string => renderEnvironment(environmentOf('app', { A: 'secret\0part' }), 'shell', REVEAL);
    expect(failing).toThrow(expect.objectContaining({ code: 'ENVIRONMENT_NUL' }));
    expect(failing).not.toThrow(/secret/);
  });

  test('refuses dotenv for a value with every kind of quote', () => {
    expect(() => renderEnvironment(environmentOf('app', { A: `'"\`` }), 'dotenv', REVEAL)).toThrow(
      /every kind of quote/,
    );
  });

  test('writes dotenv that Node reads back, whatever the value', () => {
    // Node's own reader drops carriage returns (so does a text editor).
    const value = fc.string({ unit: 'grapheme' }).filter((text) => !/[\0\r]/.test(text) && !/['"`]/.test(text));
    fc.assert(
      fc.property(fc.array(value, { maxLength: 5 }), (values) => {
        const environment = environmentOf('app', Object.fromEntries(values.map((one, index) => [`V${index}`, one])));
        expect(parseEnv(renderEnvironment(environment, 'dotenv', REVEAL))).toEqual(processEnvironment(environment));
      }),
    );
  });
});

describe('quoteForShell()', () => {
  test('leaves nothing but single quotes special', () => {
    expect(quoteForShell('$(rm -rf /) `x` \\ "')).toBe("'$(rm -rf /) `x` \\ \"'");
    expect(quoteForShell("''")).toBe(String.raw`''\'''\'''`);
  });
});

test('processEnvironment() gives every variable that has a value, secrets as well', () => {
  expect(processEnvironment(withSecret)).toEqual({ ENV: 'production', DATABASE_URL: 'mysql://user:hunter2@db/app' });
});
