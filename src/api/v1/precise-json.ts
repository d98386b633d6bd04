import { nestsDeeper } from '../../lib/index.ts';

/** ES2026, which the compiler's library does not describe yet: a reviver sees the source text. */
interface PreciseParse {
  parse(this: void, text: string, revive: typeof keepDigits): unknown;
}
const { parse } = JSON as unknown as PreciseParse;

/** Lists and maps within each other, at most. */
const MAX_DEPTH = 64;

/**
 * JSON in which whole numbers that a double cannot hold are bigints: flags and indexes of 64 bits keep every digit.
 *
 * @throws SyntaxError
 */
export function parsePrecise(text: string): unknown {
  if (nestsDeeper(text, MAX_DEPTH)) throw new SyntaxError(`it nests deeper than ${MAX_DEPTH} levels`);
  return parse(text, keepDigits);
}

const WHOLE = /^-?\d+$/;

function keepDigits(_key: string, value: unknown, { source }: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value) || source === undefined) return value;
  return WHOLE.test(source) ? BigInt(source) : value;
}
