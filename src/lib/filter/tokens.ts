import { badFilter } from './errors.ts';

/** A word may have steps in brackets: `Node.Meta["a-b"]`. */
export type FilterToken =
  | { readonly type: '(' | ')' | '==' | '!=' | 'end'; readonly text: string; readonly at: number }
  | { readonly type: 'text'; readonly text: string; readonly value: string; readonly at: number }
  | { readonly type: 'word'; readonly text: string; readonly steps: readonly string[]; readonly at: number };

/** Characters of a word: those of selectors and numbers, and what values have in names, addresses and versions. */
const WORD = /[\p{L}\p{N}_./:@%+~-]+/uy;
const BLANKS = /[ \t\r\n]*/y;

/** Splits an expression. @throws LIB_BAD_FILTER for what can be no part of one */
export function tokensOf(text: string): FilterToken[] {
  const tokens: FilterToken[] = [];
  let at = skipBlanks(text, 0);
  while (at < text.length) {
    const token = tokenAt(text, at);
    tokens.push(token);
    at = skipBlanks(text, at + token.text.length);
  }
  tokens.push({ type: 'end', text: '', at: text.length });
  return tokens;
}

function tokenAt(text: string, at: number): FilterToken {
  const first = text.charAt(at);
  if (first === '(' || first === ')') return { type: first, text: first, at };
  const two = text.slice(at, at + 2);
  if (two === '==' || two === '!=') return { type: two, text: two, at };
  if (first === '"' || first === '`') return quotedAt(text, at);
  const word = matchAt(WORD, text, at);
  if (word === '') throw badFilter(`1:${at + 1}: ${JSON.stringify(first)} can be no part of an expression`);
  return wordAt(text, at, word);
}

/** A word and what follows it in brackets or after another dot. */
function wordAt(text: string, at: number, word: string): FilterToken {
  const steps = word.split('.');
  let end = at + word.length;
  while (text.charAt(end) === '[') {
    const open = skipBlanks(text, end + 1);
    const isQuoted = text.charAt(open) === '"' || text.charAt(open) === '`';
    if (!isQuoted) throw badFilter(`1:${open + 1}: a quoted text was expected after [`);
    const index = quotedAt(text, open);
    const close = skipBlanks(text, open + index.text.length);
    if (text.charAt(close) !== ']') throw badFilter(`1:${close + 1}: ] was expected`);
    steps.push(index.value);
    end = close + 1;
    const more = text.charAt(end) === '.' ? matchAt(WORD, text, end) : '';
    if (more !== '') steps.push(...more.slice(1).split('.'));
    end += more.length;
  }
  return { type: 'word', text: text.slice(at, end), steps, at };
}

function quotedAt(text: string, at: number): FilterToken & { type: 'text' } {
  const isRaw = text.charAt(at) === '`';
  const end = isRaw ? text.indexOf('`', at + 1) : endOfQuoted(text, at);
  if (end < 0) throw badFilter(`1:${at + 1}: this text has no closing quote`);
  const whole = text.slice(at, end + 1);
  return { type: 'text', text: whole, value: isRaw ? whole.slice(1, -1) : unescaped(whole.slice(1, -1), at), at };
}

function endOfQuoted(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    if (text.charAt(at) === '\\') at++;
    else if (text.charAt(at) === '"') return at;
  }
  return -1;
}

const ESCAPE = /\\(?:x[\da-f]{2}|u[\da-f]{4}|U00[\da-f]{6}|.|$)/gis;
const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['a', '\u0007'],
  ['b', '\b'],
  ['f', '\f'],
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['v', '\v'],
  ['\\', '\\'],
  ['"', '"'],
]);

/** Go's escapes. Any other backslash stays, as clients write regular expressions between double quotes: `"^\d+$"`. */
function unescaped(text: string, at: number): string {
  if (!text.includes('\\')) return text;
  return text.replaceAll(ESCAPE, (escape) => {
    if (escape.length === 2) return SIMPLE.get(escape.charAt(1)) ?? escape;
    const code = Number.parseInt(escape.slice(2), 16);
    if (code > 0x10_ff_ff || (code >= 0xd8_00 && code <= 0xdf_ff)) {
      throw badFilter(`1:${at + 1}: ${escape} names no character`);
    }
    return String.fromCodePoint(code);
  });
}

function skipBlanks(text: string, at: number): number {
  return at + matchAt(BLANKS, text, at).length;
}

function matchAt(pattern: RegExp, text: string, at: number): string {
  // A copy: a sticky expression remembers where it stood.
  const sticky = new RegExp(pattern);
  sticky.lastIndex = at;
  return sticky.exec(text)?.[0] ?? '';
}
