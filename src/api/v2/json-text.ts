import type { KeyPath } from '../../definition/index.ts';
import { nestsDeeper } from '../../lib/index.ts';

/** A JSON text as a value that remembers how its numbers were written. */
export interface JsonText {
  readonly value: unknown;
  /** The number at a path as the text has it (`1.10`, 64-bit numbers); undefined for what JavaScript writes the same way, and for anything else. */
  writtenAt(path: KeyPath): string | undefined;
}

/** Lists and maps within each other, at most: what takes values apart later does so by recursion. */
const MAX_DEPTH = 64;

/** @throws SyntaxError for text that is not JSON, RangeError when it nests too deep */
export function parseJsonText(text: string): JsonText {
  if (nestsDeeper(text, MAX_DEPTH)) throw new RangeError(`the body nests deeper than ${MAX_DEPTH} levels`);
  const value = JSON.parse(text) as unknown;
  const written = new Map<object, Map<string, string>>();
  // Numbers are rarely written in another way, and reading the text once more costs twice as much as reading it.
  const twin = hasOddNumber(text) ? JSON.parse(text, remember(written)) : value;
  return { value: twin, writtenAt: (path) => writtenAt(twin, written, path) };
}

function hasOddNumber(text: string): boolean {
  return /\d\.\d*0\b|\d[eE]|-0|\d{16}/.test(text);
}

/** TypeScript does not know the third parameter yet: the text of a primitive value (ECMA-262, JSON.parse source text access). */
type Reviver = (this: object, key: string, value: unknown, context?: { readonly source?: string }) => unknown;

function remember(written: Map<object, Map<string, string>>): Reviver {
  return function (key, value, context) {
    const source = context?.source;
    if (typeof value !== 'number' || source === undefined || source === String(value)) return value;
    const own = written.get(this) ?? new Map<string, string>();
    written.set(this, own.set(key, source));
    return value;
  };
}

function writtenAt(root: unknown, written: Map<object, Map<string, string>>, path: KeyPath): string | undefined {
  let holder = root;
  for (const step of path.slice(0, -1)) {
    if (holder === null || typeof holder !== 'object') return undefined;
    holder = (holder as Record<string | number, unknown>)[step];
  }
  return written.get(holder as object)?.get(String(path.at(-1)));
}
