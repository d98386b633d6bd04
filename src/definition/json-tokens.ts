/** `jsonc` is JSON with comments, `json5` the whole of json5.org. */
export type JsonMode = 'jsonc' | 'json5';

/** A stretch of the text. Unlike a parser's, these tokens also name what is wrong, so that an error can say what was meant. */
export interface JsonToken {
  readonly kind:
    | '{'
    | '}'
    | '['
    | ']'
    | ':'
    | ','
    | 'string'
    | 'number'
    | 'word'
    | 'ellipsis'
    | 'hash'
    | 'other'
    | 'end';
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Why it is not valid in itself. */
  readonly flaw?: { readonly offset: number; readonly message: string; readonly hint?: string };
}

type Kind = JsonToken['kind'];
type Flaw = NonNullable<JsonToken['flaw']>;

const BLANK: Readonly<Record<JsonMode, RegExp>> = {
  jsonc: /[ \t\n\r]*/y,
  json5: /[\s\u00a0\u2028\u2029\ufeff]*/y,
};
const LINE_COMMENT: Readonly<Record<JsonMode, RegExp>> = {
  jsonc: /\/\/[^\n\r]*/y,
  json5: /\/\/[^\n\r\u2028\u2029]*/y,
};
const BLOCK_COMMENT = /\/\*[^]*?\*\//y;
const PUNCTUATION = /[{}[\]:,]/y;
const CHUNK = /[^\s{}[\]:,;="'#/\u201c\u201d\u2018\u2019]+/y;
const NUMBER: Readonly<Record<JsonMode, RegExp>> = {
  jsonc: /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?$/,
  // JSON5 knows `-.5` too; the parser does not.
  json5:
    /^(?:[-+]?(?:Infinity|NaN|0[xX][\da-fA-F]+|(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][-+]?\d+)?)|\.\d+(?:[eE][-+]?\d+)?)$/,
};
/** A name without quotes: JSON5's IdentifierName. */
const WORD = /^(?:[\p{ID_Start}$_]|\\u[\da-fA-F]{4})(?:[\p{ID_Continue}$\u200c\u200d]|\\u[\da-fA-F]{4})*$/u;
const ESCAPE: Readonly<Record<JsonMode, RegExp>> = {
  jsonc: /\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/y,
  json5: /\\(?:\r\n|u[\da-fA-F]{4}|x[\da-fA-F]{2}|0(?!\d)|[^1-9ux0])/y,
};

/** Reads a text token by token; comments and white space are skipped. It never throws. */
export class JsonTokens {
  readonly #text: string;
  readonly #mode: JsonMode;
  #at = 0;

  constructor(text: string, mode: JsonMode) {
    this.#text = text;
    this.#mode = mode;
  }

  next(): JsonToken {
    const unclosed = this.#skipBlank();
    if (unclosed !== undefined) return this.#token('other', this.#text.length, unclosed);
    if (this.#at >= this.#text.length) return this.#token('end', this.#at);
    const punctuation = this.#match(PUNCTUATION);
    if (punctuation !== undefined) return this.#token(punctuation as Kind, this.#at + 1);
    const first = this.#text[this.#at] as string;
    if (first === '"' || first === "'") return this.#string(first);
    if (first === '#') return this.#token('hash', this.#at + 1);
    if (this.#text.startsWith('...', this.#at)) return this.#token('ellipsis', this.#at + 3);
    if (first === '\u2026') return this.#token('ellipsis', this.#at + 1);
    return this.#chunk();
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.#text)?.[0];
  }

  #skipBlank(): Flaw | undefined {
    for (;;) {
      this.#at += this.#match(BLANK[this.#mode])?.length ?? 0;
      const comment = this.#match(LINE_COMMENT[this.#mode]) ?? this.#match(BLOCK_COMMENT);
      if (comment !== undefined) this.#at += comment.length;
      else if (!this.#text.startsWith('/*', this.#at)) return undefined;
      else return { offset: this.#at, message: 'the comment that begins here is not closed', hint: 'end it with */' };
    }
  }

  #token(kind: Kind, end: number, flaw?: Flaw): JsonToken {
    const start = this.#at;
    this.#at = end;
    return { kind, start, end, text: this.#text.slice(start, end), ...(flaw === undefined ? {} : { flaw }) };
  }

  #chunk(): JsonToken {
    const chunk = this.#match(CHUNK);
    if (chunk === undefined) return this.#token('other', this.#at + 1);
    const end = this.#at + chunk.length;
    if (NUMBER[this.#mode].test(chunk)) return this.#token('number', end);
    if (/^[-+.\d]/.test(chunk)) return this.#token('other', end, numberFlaw(chunk, this.#at, this.#mode));
    return this.#token(WORD.test(chunk) ? 'word' : 'other', end);
  }

  #string(quote: string): JsonToken {
    let flaw: Flaw | undefined;
    for (let at = this.#at + 1; at < this.#text.length; at++) {
      const character = this.#text[at] as string;
      if (character === quote) return this.#token('string', at + 1, flaw);
      if (character === '\n' || character === '\r') return this.#token('string', at, unclosedFlaw(this.#at, quote));
      if (character === '\\') {
        const escape = this.#escapeAt(at);
        if (escape === undefined) flaw ??= escapeFlaw(this.#text, at);
        at += escape === undefined ? 1 : escape.length - 1;
      } else if (this.#mode === 'jsonc' && character < ' ') flaw ??= controlFlaw(character, at);
    }
    return this.#token('string', this.#text.length, unclosedFlaw(this.#at, quote));
  }

  #escapeAt(at: number): string | undefined {
    const pattern = ESCAPE[this.#mode];
    pattern.lastIndex = at;
    return pattern.exec(this.#text)?.[0];
  }
}

function unclosedFlaw(offset: number, quote: string): Flaw {
  return { offset, message: 'the text that begins here is not closed on its line', hint: `add ${quote} at its end` };
}

function escapeFlaw(text: string, offset: number): Flaw {
  const hint = 'write \\\\ for a backslash';
  return { offset, message: `unknown escape ${text.slice(offset, offset + 2)} in a text`, hint };
}

function controlFlaw(character: string, offset: number): Flaw {
  if (character === '\t') return { offset, message: 'a tab inside a text', hint: 'write \\t' };
  const code = character.charCodeAt(0).toString(16).padStart(4, '0');
  return { offset, message: 'a control character inside a text', hint: `write \\u${code}` };
}

function numberFlaw(chunk: string, offset: number, mode: JsonMode): Flaw {
  const shown = chunk.length > 40 ? `${chunk.slice(0, 40)}…` : chunk;
  if (/^[-+]\.\d/.test(chunk)) return { offset, message: `${shown} is no number`, hint: 'write a 0 before the dot' };
  const json5 = mode === 'jsonc' && NUMBER.json5.test(chunk);
  const hint = json5 ? 'write it in decimal digits, or name the file .json5' : 'put it in double quotes if it is text';
  return { offset, message: `${shown} is no number`, hint };
}
