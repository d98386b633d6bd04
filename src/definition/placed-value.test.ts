import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import type { KeyPath } from './describe.ts';
import { readDocument } from './document.ts';

/** Every path in a value, with what stands there. */
function paths(value: unknown, path: KeyPath = []): [KeyPath, unknown][] {
  if (value === null || typeof value !== 'object') return [[path, value]];
  const steps = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return [[path, value], ...steps.flatMap(([step, inner]) => paths(inner, [...path, step as string | number]))];
}

function textAt(text: string, place: { readonly line?: number; readonly column?: number }): string {
  const line = text.split('\n')[(place.line ?? 1) - 1] ?? '';
  return Array.from(line)
    .slice((place.column ?? 1) - 1)
    .join('');
}

const json = fc.jsonValue({ maxDepth: 3 }).filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('readDocument() of any JSON', () => {
  test('gives the value and finds each part of it in the text', () => {
    fc.assert(
      fc.property(json, fc.constantFrom(0, 2), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        const document = readDocument(text, 'a.json');
        expect(document.value).toEqual(JSON.parse(text));
        for (const [path, inner] of paths(JSON.parse(text))) {
          const first = JSON.stringify(inner).slice(0, inner !== null && typeof inner === 'object' ? 1 : undefined);
          expect(textAt(text, document.placeOf(path))).toMatch(first.slice(0, 1));
          expect(textAt(text, document.placeOf(path)).startsWith(first)).toBe(true);
          const key = path.at(-1);
          if (typeof key !== 'string') continue;
          expect(textAt(text, document.placeOf(path, 'key')).startsWith(JSON.stringify(key))).toBe(true);
        }
      }),
      { numRuns: 100 },
    );
  });

  test('gives the same value from JSON5 and YAML', () => {
    fc.assert(
      fc.property(
        json.filter((value) => value !== null),
        (value) => {
          const plain: unknown = JSON.parse(JSON.stringify(value));
          expect(readDocument(JSON.stringify(value), 'a.json5').value).toEqual(plain);
          expect(readDocument(stringify(plain), 'a.yaml').value).toEqual(plain);
        },
      ),
      { numRuns: 100 },
    );
  });
});
