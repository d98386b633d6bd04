import type { HclSource } from './source.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** How an escape names a character by number: how many digits, of which base, after how many letters. */
interface NumberForm {
  readonly digits: number;
  readonly base: number;
  readonly skip: number;
}

const OCTAL: NumberForm = { digits: 3, base: 8, skip: 0 };

const NUMBERED: Readonly<Record<string, NumberForm>> = {
  x: { digits: 2, base: 16, skip: 1 },
  u: { digits: 4, base: 16, skip: 1 },
  U: { digits: 8, base: 16, skip: 1 },
};

/** Reads a text between quotes. What stands in `${…}` stays as it is, quotes and line ends included. @throws LIB_BAD_HCL */
export function readString(source: HclSource): string {
  const { text } = source;
  const start = source.at;
  const parts: string[] = [];
  let from = start + 1;
  for (source.at = from; ;) {
    const code = text.charCodeAt(source.at);
    if (Number.isNaN(code)) source.fail('this text has no closing quote', start);
    if (code === 10) source.fail('a closing quote was expected before the end of the line');
    if (code === 34) break;
    if (code === 92) {
      parts.push(text.slice(from, source.at), readEscape(source));
      from = source.at;
    } else if (code === 36 && text.charCodeAt(source.at + 1) === 123) skipInterpolation(source);
    else source.at++;
  }
  parts.push(text.slice(from, source.at++));
  return parts.join('');
}

function readEscape(source: HclSource): string {
  const start = source.at;
  const letter = source.text.charAt(start + 1);
  const simple = Object.hasOwn(ESCAPES, letter) ? ESCAPES[letter] : undefined;
  source.at += 2;
  if (simple !== undefined) return simple;
  const form = formOf(letter);
  if (form === undefined) return source.fail(`\\${letter} is no escape`, start);
  const from = start + 1 + form.skip;
  source.at = from + form.digits;
  return characterOf(source.text.slice(from, source.at), form) ?? source.fail('this escape names no character', start);
}

function formOf(letter: string): NumberForm | undefined {
  if (letter >= '0' && letter <= '7') return OCTAL;
  return Object.hasOwn(NUMBERED, letter) ? NUMBERED[letter] : undefined;
}

function characterOf(digits: string, form: NumberForm): string | undefined {
  const isNumber = digits.length === form.digits && (form.base === 16 ? /^[\da-f]+$/i : /^[0-7]+$/).test(digits);
  const code = isNumber ? Number.parseInt(digits, form.base) : Number.NaN;
  // Two or three digits name a byte: above ASCII that is a part of a character.
  const most = form.digits <= 3 ? 0x7f : 0x10_ff_ff;
  const isHalf = code >= 0xd8_00 && code <= 0xdf_ff;
  return code <= most && !isHalf ? String.fromCodePoint(code) : undefined;
}

function skipInterpolation(source: HclSource): void {
  const start = source.at;
  let braces = 0;
  for (source.at += 1; source.at < source.text.length; source.at++) {
    const code = source.text.charCodeAt(source.at);
    if (code === 123) braces++;
    else if (code === 125 && --braces === 0) {
      source.at++;
      return;
    }
  }
  source.fail('this ${ has no closing brace', start);
}

/**
 * Reads a heredoc, `<<EOF` or `<<-EOF`: the lines up to one that is the mark alone, each with its line end. With `-` the
 * blanks before the closing mark are taken from every line, when every line has them. @throws LIB_BAD_HCL
 */
export function readHeredoc(source: HclSource): string {
  const { text } = source;
  const start = source.at;
  const head = /^<<(-?)([\p{L}\p{N}_-]+)[ \t]*\r?\n/u.exec(text.slice(start, start + 300));
  if (head === null) return source.fail('a word and the end of the line were expected after <<', start);
  const [opening, dash, mark] = head as unknown as [string, string, string];
  const lines: string[] = [];
  for (let from = start + opening.length; from < text.length;) {
    const feed = text.indexOf('\n', from);
    const end = feed < 0 ? text.length : feed;
    const line = text.slice(from, end);
    if (line.trim() === mark) {
      source.at = end;
      return joined(lines, dash === '-' ? line.slice(0, line.indexOf(mark)) : '');
    }
    lines.push(text.slice(from, end + 1));
    from = end + 1;
  }
  return source.fail(`a line ${mark} was expected that ends this text`, start);
}

function joined(lines: readonly string[], indent: string): string {
  const isIndented = indent !== '' && lines.every((line) => line.startsWith(indent));
  return (isIndented ? lines.map((line) => line.slice(indent.length)) : lines).join('');
}
