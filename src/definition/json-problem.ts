import { type JsonMode, type JsonToken, JsonTokens } from './json-tokens.ts';
import type { ReadProblem } from './placed-value.ts';
import type { SourceText } from './source-text.ts';

type SyntaxProblem = Extract<ReadProblem, { kind: 'syntax' }>;
type Expecting = 'value' | 'first-element' | 'key' | 'first-key' | 'colon' | 'comma' | 'end';

interface Open {
  readonly bracket: '{' | '[';
  readonly offset: number;
}

/**
 * What is wrong with a text, in an operator's words: the first place where it departs from the grammar, what was expected there, and how to mend it.
 * Undefined for a text without fault, which a JSON parser then takes.
 */
export function findJsonProblem(source: SourceText, mode: JsonMode): SyntaxProblem | undefined {
  return new JsonReader(source, mode).find();
}

/** Where lists and maps nest deeper than allowed; undefined when they do not. */
export function findTooDeep(source: SourceText, mode: JsonMode, maxDepth: number): number | undefined {
  const tokens = new JsonTokens(source.text, mode);
  let depth = 0;
  for (let token = tokens.next(); token.kind !== 'end'; token = tokens.next()) {
    if (token.kind === '{' || token.kind === '[') depth++;
    else if (token.kind === '}' || token.kind === ']') depth--;
    if (depth > maxDepth) return token.start;
  }
  return undefined;
}

class JsonReader {
  readonly #source: SourceText;
  readonly #mode: JsonMode;
  readonly #tokens: JsonTokens;
  readonly #open: Open[] = [];
  #expecting: Expecting = 'value';
  #previous: JsonToken | undefined;
  #key = '';

  constructor(source: SourceText, mode: JsonMode) {
    this.#source = source;
    this.#mode = mode;
    this.#tokens = new JsonTokens(source.text, mode);
  }

  find(): SyntaxProblem | undefined {
    for (;;) {
      const token = this.#tokens.next();
      if (token.kind === 'end' && this.#expecting === 'end') return undefined;
      const problem = this.#common(token) ?? this.#step(token);
      if (problem !== undefined) return problem;
      this.#previous = token;
    }
  }

  /** What is wrong wherever it stands. */
  #common(token: JsonToken): SyntaxProblem | undefined {
    if (token.kind === 'ellipsis') return this.#ellipsis(token);
    if (token.kind === 'hash') {
      return problemAt(token, "unexpected '#'", 'for a comment use // or name the file .yaml');
    }
    if (/^[\u201c\u201d\u2018\u2019]/.test(token.text)) {
      return problemAt(token, `unexpected ${token.text}`, 'use straight quotes: "');
    }
    // A missing comma before a flawed text is the first thing wrong, as it stands before the flaw.
    const misplaced = this.#expecting === 'comma' || this.#expecting === 'colon';
    if (token.flaw === undefined || (misplaced && !token.text.startsWith('/*'))) return undefined;
    const { offset, message, hint } = token.flaw;
    return { kind: 'syntax', offset, message, ...(hint === undefined ? {} : { hint }) };
  }

  #ellipsis(token: JsonToken): SyntaxProblem {
    const { line } = this.#source.positionOf(token.start);
    const rest = this.#source.line(line).slice(this.#source.positionOf(token.start).column - 1);
    const comment = rest.includes('#') ? '; for a comment use // or name the file .yaml' : '';
    return problemAt(token, `unexpected "${token.text}"`, `remove it: it stands for what was left out${comment}`);
  }

  #step(token: JsonToken): SyntaxProblem | undefined {
    switch (this.#expecting) {
      case 'value':
      case 'first-element':
        return this.#value(token);
      case 'key':
      case 'first-key':
        return this.#keyStep(token);
      case 'colon':
        return this.#colon(token);
      case 'comma':
        return this.#comma(token);
      case 'end':
        return this.#afterEnd(token);
    }
  }

  #value(token: JsonToken): SyntaxProblem | undefined {
    if (token.kind === '{' || token.kind === '[') {
      this.#open.push({ bracket: token.kind, offset: token.start });
      this.#expecting = token.kind === '{' ? 'first-key' : 'first-element';
      return undefined;
    }
    if (token.kind === ']' && this.#mayCloseList()) return this.#close();
    const problem = this.#valueProblem(token);
    if (problem === undefined) this.#afterValue();
    return problem;
  }

  /** An empty list, or in JSON5 one that ends behind a comma. */
  #mayCloseList(): boolean {
    if (this.#expecting === 'first-element') return true;
    return this.#mode === 'json5' && this.#previous?.kind === ',' && this.#inner()?.bracket === '[';
  }

  #valueProblem(token: JsonToken): SyntaxProblem | undefined {
    if (token.kind === 'number') return undefined;
    if (token.kind === 'string') return this.#singleQuoted(token, 'expected a text in double quotes');
    if (token.kind === 'word' && /^(?:true|false|null)$/.test(token.text)) return undefined;
    if (token.kind === 'word') return wordProblem(token);
    if (token.kind === 'end') return this.#endOfFile(token, `expected a value${this.#forKey()}`);
    if (token.kind === 'other')
      return problemAt(token, `unexpected ${shown(token)}, expected a value${this.#forKey()}`);
    if (this.#previous?.kind === ',' && this.#inner()?.bracket === '[') return this.#strayComma(token);
    return problemAt(token, `expected a value${this.#forKey()} before ${shown(token)}`);
  }

  #forKey(): string {
    return this.#previous?.kind === ':' ? ` for ${this.#key}` : '';
  }

  #keyStep(token: JsonToken): SyntaxProblem | undefined {
    const first = this.#expecting === 'first-key';
    const json5 = this.#mode === 'json5';
    if (token.kind === '}' && (first || json5)) return this.#close();
    if (token.kind === 'end') return this.#endOfFile(token, `expected ${first ? "a key or '}'" : 'a key'}`);
    if (token.kind === 'string') {
      const problem = this.#singleQuoted(token, 'expected a key in double quotes');
      if (problem !== undefined) return problem;
    } else if (token.kind === 'word' || (json5 && /^(?:NaN|Infinity)$/.test(token.text))) {
      if (!json5) return unquoted(token, 'expected a key in double quotes');
    } else if (!first && (token.kind === '}' || token.kind === ',')) return this.#strayComma(token);
    else if (token.kind === 'number') return unquoted(token, 'expected a key in double quotes');
    else if (token.kind === ':') return problemAt(token, "expected a key before ':'");
    else return problemAt(token, `expected a key, found ${shown(token)}`, this.#openHint(token));
    this.#key = shown(token);
    this.#expecting = 'colon';
    return undefined;
  }

  #colon(token: JsonToken): SyntaxProblem | undefined {
    if (token.kind === 'end') return this.#endOfFile(token, `expected ':' after ${this.#key}`);
    if (token.kind !== ':') return problemAt(token, `expected ':' after ${this.#key}`, `write ${this.#key}: …`);
    this.#expecting = 'value';
    return undefined;
  }

  #comma(token: JsonToken): SyntaxProblem | undefined {
    const inner = this.#inner() as Open;
    const close = inner.bracket === '{' ? '}' : ']';
    if (token.kind === close) return this.#close();
    if (token.kind === ',') {
      this.#expecting = inner.bracket === '{' ? 'key' : 'value';
      return undefined;
    }
    if (token.kind === 'end') return this.#endOfFile(token, `expected '${close}'`);
    if (token.kind === '}' || token.kind === ']') {
      return problemAt(token, `expected '${close}' before '${token.kind}'`, this.#openHint(token));
    }
    if (token.kind === ':') return problemAt(token, `expected ',' or '${close}', found ':'`);
    if (token.text === ';') return problemAt(token, "expected ',', found ';'", 'write a comma');
    return problemAt(token, `expected ',' before ${shown(token)}`, this.#commaHint(token));
  }

  #afterEnd(token: JsonToken): SyntaxProblem {
    if (token.kind === '}' || token.kind === ']') {
      return problemAt(token, `unexpected '${token.kind}'`, 'it closes nothing: remove it, or add what it closes');
    }
    const hint = token.kind === '{' || token.kind === '[' ? 'one file holds one document' : undefined;
    return problemAt(token, `expected the end of the file, found ${shown(token)}`, hint);
  }

  #singleQuoted(token: JsonToken, expected: string): SyntaxProblem | undefined {
    return this.#mode === 'json5' || token.text.startsWith('"') ? undefined : unquoted(token, expected);
  }

  #close(): undefined {
    this.#open.pop();
    this.#afterValue();
  }

  #afterValue(): void {
    this.#expecting = this.#open.length === 0 ? 'end' : 'comma';
  }

  #inner(): Open | undefined {
    return this.#open.at(-1);
  }

  #strayComma(token: JsonToken): SyntaxProblem {
    const comma = this.#previous as JsonToken;
    if (token.kind === ',') return problemAt(token, "unexpected ','", 'remove one of the two commas');
    const closes = token.kind === '}' || token.kind === ']';
    if (!closes) return problemAt(token, `expected a value before ${shown(token)}`);
    const wrong = (token.kind === '}') !== (this.#inner()?.bracket === '{');
    if (wrong) return problemAt(token, `unexpected '${token.kind}'`, this.#openHint(token));
    const line = this.#source.positionOf(comma.start).line;
    return problemAt(
      comma,
      `unexpected ',' before '${token.kind}'`,
      `remove the comma on line ${line}, or name the file .json5`,
    );
  }

  #endOfFile(token: JsonToken, expected: string): SyntaxProblem {
    if (this.#previous === undefined) return problemAt(token, 'the file is empty', 'a document begins with {');
    const open = this.#inner();
    const hint =
      open === undefined
        ? undefined
        : `the '${open.bracket}' on line ${this.#source.positionOf(open.offset).line} is not closed`;
    return problemAt({ start: this.#previous.end }, `unexpected end of file, ${expected}`, hint);
  }

  #openHint(token: JsonToken): string | undefined {
    const open = this.#inner();
    if (open === undefined || (token.kind !== '}' && token.kind !== ']')) return undefined;
    return `the '${open.bracket}' on line ${this.#source.positionOf(open.offset).line} is still open`;
  }

  #commaHint(token: JsonToken): string {
    const previous = this.#previous as JsonToken;
    const line = this.#source.positionOf(previous.end).line;
    const sameLine = line === this.#source.positionOf(token.start).line;
    return sameLine ? `add a comma after ${shown(previous)}` : `add a comma at the end of line ${line}`;
  }
}

function problemAt(token: Pick<JsonToken, 'start'>, message: string, hint?: string): SyntaxProblem {
  return { kind: 'syntax', offset: token.start, message, ...(hint === undefined ? {} : { hint }) };
}

/** A key or text without double quotes, where JSON wants them. */
function unquoted(token: JsonToken, expected: string): SyntaxProblem {
  const inner = token.kind === 'string' ? token.text.slice(1, -1) : token.text;
  return problemAt(
    token,
    `${expected}, found ${shown(token)}`,
    `write ${JSON.stringify(cut(inner))}, or name the file .json5`,
  );
}

const MEANT: Readonly<Record<string, string>> = {
  True: 'true',
  TRUE: 'true',
  yes: 'true',
  on: 'true',
  False: 'false',
  FALSE: 'false',
  no: 'false',
  off: 'false',
  None: 'null',
  NULL: 'null',
  nil: 'null',
  undefined: 'null',
};

function wordProblem(token: JsonToken): SyntaxProblem {
  const meant = Object.hasOwn(MEANT, token.text) ? MEANT[token.text] : undefined;
  const quoted = JSON.stringify(cut(token.text));
  return problemAt(
    token,
    `unexpected ${shown(token)}, expected a value`,
    meant === undefined ? `write ${quoted} if it is text` : `write ${meant}, or ${quoted} if it is text`,
  );
}

const LONGEST = 40;

/** A token as an error names it: brackets in quotes, a text as it stands, cut when long. */
function shown(token: JsonToken): string {
  if (/^[{}[\]:,]$/.test(token.text)) return `'${token.text}'`;
  // What looks like a token may be one.
  return UUID.test(token.text) ? 'this text' : cut(token.text.split(/[\r\n]/, 1)[0] as string);
}

const UUID = /[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/i;

function cut(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
