import { badFilter } from './errors.ts';
import type { FilterExpression, FilterMatch, FilterOperator, FilterSelector } from './expression.ts';
import { type FilterToken, tokensOf } from './tokens.ts';

/** Characters of an expression. */
const LONGEST = 65_536;
/** Brackets within brackets. */
const DEEPEST = 256;
/** Regular expressions: each costs more than all else in an expression together. */
const MOST_PATTERNS = 16;

/**
 * Reads a filter expression (go-bexpr): `not` before `and` before `or`.
 *
 * @throws LIB_BAD_FILTER with place and what was expected
 */
export function parseFilter(text: string): FilterExpression {
  if (text.length > LONGEST) throw badFilter(`an expression has at most ${LONGEST} characters`);
  const reader = new TokenReader(tokensOf(text));
  const expression = readOr(reader, 0);
  reader.expect('end', 'and, or, or the end');
  return expression;
}

class TokenReader {
  readonly #tokens: readonly FilterToken[];
  #at = 0;
  /** How many regular expressions were read. */
  patterns = 0;

  constructor(tokens: readonly FilterToken[]) {
    this.#tokens = tokens;
  }

  get next(): FilterToken {
    return this.#tokens[this.#at] as FilterToken;
  }

  take(): FilterToken {
    const { next } = this;
    if (next.type !== 'end') this.#at++;
    return next;
  }

  /** Takes a word when it comes next. */
  takesWord(word: string): boolean {
    const isNext = this.next.type === 'word' && this.next.text === word;
    if (isNext) this.#at++;
    return isNext;
  }

  takes(type: FilterToken['type']): boolean {
    const isNext = this.next.type === type;
    if (isNext) this.take();
    return isNext;
  }

  expect(type: FilterToken['type'], what: string): void {
    if (!this.takes(type)) this.fail(what);
  }

  fail(expected: string): never {
    const { at, text, type } = this.next;
    const found = type === 'end' ? 'the end' : text.length > 40 ? `${text.slice(0, 40)}…` : text;
    throw badFilter(`1:${at + 1}: expected ${expected}, not ${found}`);
  }
}

function readOr(reader: TokenReader, depth: number): FilterExpression {
  const parts = [readAnd(reader, depth)];
  while (reader.takesWord('or')) parts.push(readAnd(reader, depth));
  return parts.length === 1 ? (parts[0] as FilterExpression) : { type: 'or', parts };
}

function readAnd(reader: TokenReader, depth: number): FilterExpression {
  const parts = [readNot(reader, depth)];
  while (reader.takesWord('and')) parts.push(readNot(reader, depth));
  return parts.length === 1 ? (parts[0] as FilterExpression) : { type: 'and', parts };
}

function readNot(reader: TokenReader, depth: number): FilterExpression {
  let isNegated = false;
  while (reader.takesWord('not')) isNegated = !isNegated;
  const part = readPart(reader, depth);
  return isNegated ? { type: 'not', part } : part;
}

function readPart(reader: TokenReader, depth: number): FilterExpression {
  if (reader.next.type !== '(') return readMatch(reader);
  if (depth === DEEPEST) throw badFilter(`brackets are at most ${DEEPEST} deep`);
  reader.take();
  const inner = readOr(reader, depth + 1);
  reader.expect(')', 'and, or, or )');
  return inner;
}

function readMatch(reader: TokenReader): FilterMatch {
  const left = readOperand(reader, 'a selector or a value');
  const { operator, isNegated, turned } = readOperator(reader);
  if (operator === 'empty') return { type: 'match', selector: selectorOf(left), operator, isNegated, value: '' };
  if (operator === 'matches' && ++reader.patterns > MOST_PATTERNS) {
    throw badFilter(`an expression has at most ${MOST_PATTERNS} regular expressions`);
  }
  const right = readOperand(reader, turned ? 'a selector' : 'a value');
  const [selector, value] = turned ? [right, left] : [left, right];
  return { type: 'match', selector: selectorOf(selector), operator, isNegated, value: valueOf(value) };
}

type Operand = Extract<FilterToken, { type: 'word' | 'text' }>;

function readOperand(reader: TokenReader, what: string): Operand {
  const { next } = reader;
  if (next.type !== 'word' && next.type !== 'text') return reader.fail(what);
  reader.take();
  return next;
}

interface ReadOperator {
  readonly operator: FilterOperator;
  readonly isNegated: boolean;
  /** The value stands before it. */
  readonly turned: boolean;
}

const OPERATORS: ReadonlyMap<string, Omit<ReadOperator, 'isNegated'>> = new Map([
  ['in', { operator: 'in', turned: true }],
  ['contains', { operator: 'in', turned: false }],
  ['matches', { operator: 'matches', turned: false }],
]);

const EXPECTED = '==, !=, in, contains, matches, is empty or one of these with not';

function readOperator(reader: TokenReader): ReadOperator {
  if (reader.takes('==')) return { operator: 'equal', isNegated: false, turned: false };
  if (reader.takes('!=')) return { operator: 'equal', isNegated: true, turned: false };
  if (reader.takesWord('is')) {
    const isNegated = reader.takesWord('not');
    if (!reader.takesWord('empty')) reader.fail('empty');
    return { operator: 'empty', isNegated, turned: false };
  }
  const isNegated = reader.takesWord('not');
  const found = reader.next.type === 'word' ? OPERATORS.get(reader.next.text) : undefined;
  if (found === undefined) return reader.fail(isNegated ? 'in, contains or matches' : EXPECTED);
  reader.take();
  return { ...found, isNegated };
}

function selectorOf(token: Operand): FilterSelector {
  if (token.type === 'word') return { steps: token.steps, text: token.text };
  if (!token.value.startsWith('/')) {
    throw badFilter(`1:${token.at + 1}: a selector was expected, not the text ${token.text.slice(0, 40)}`);
  }
  const steps = token.value.slice(1).split('/');
  return { steps: steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~')), text: token.value };
}

function valueOf(token: Operand): string {
  return token.type === 'text' ? token.value : token.text;
}
