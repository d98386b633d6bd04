import { decodeBytes, textOfBytes } from './percent.ts';

type Pair = readonly [name: string, value: string];

/** The parameters after `?`, decoded as forms are: `+` is a space, a broken escape stands for itself. */
export class Query {
  /** No parameters at all. */
  static readonly NONE = new Query([]);
  readonly #pairs: readonly Pair[];

  private constructor(pairs: readonly Pair[]) {
    this.#pairs = pairs;
  }

  /** `text` is what follows the question mark, as it stands in the URL. */
  static parse(text: string): Query {
    const parts = text.split('&').filter((part) => part !== '');
    return parts.length === 0 ? Query.NONE : new Query(parts.map(pairOf));
  }

  get isEmpty(): boolean {
    return this.#pairs.length === 0;
  }

  /** Whether a parameter is there, with or without a value. */
  has(name: string): boolean {
    return this.get(name) !== null;
  }

  /** The first value of a parameter; empty for one without a value, null when it is not there. */
  get(name: string): string | null {
    for (const pair of this.#pairs) if (pair[0] === name) return pair[1];
    return null;
  }

  /** Each value of a repeated parameter once, in the order in which they came. */
  getAll(name: string): string[] {
    const found = new Set<string>();
    for (const pair of this.#pairs) if (pair[0] === name) found.add(pair[1]);
    return [...found];
  }

  /** Encoded again with the names in order, as Consul shows parameters in its errors; a token is left out. */
  toString(): string {
    const sorted = new URLSearchParams(
      this.#pairs.filter(([name]) => name !== 'token').map(([name, value]) => [name, value]),
    );
    sorted.sort();
    return sorted.toString();
  }
}

function pairOf(part: string): Pair {
  const equals = part.indexOf('=');
  return equals < 0 ? [decode(part), ''] : [decode(part.slice(0, equals)), decode(part.slice(equals + 1))];
}

const ENCODED = /[%+\u0080-\uffff]/;

function decode(text: string): string {
  if (!ENCODED.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  return textOfBytes(decodeBytes(spaced) ?? spaced);
}
