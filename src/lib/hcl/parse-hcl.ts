import { readHeredoc, readString } from './read-string.ts';
import { HclSource } from './source.ts';
import type { HclBody, HclItem, HclValue } from './value.ts';

/** Blocks, labels, objects and lists within each other. */
const DEEPEST = 64;
/** Characters. */
const LONGEST = 1_048_576;

/**
 * Reads HCL as people write it for Consul: blocks with labels, attributes, texts, heredocs, numbers, flags, null, lists
 * and objects, comments. Nothing is computed: `${…}` stays text.
 *
 * @example
 * parseHcl('key_prefix "app/" { policy = "read" }').items[0]?.labels; // ['app/']
 * @throws LIB_BAD_HCL with line, column and what was expected; also past 1 MiB or 64 levels
 */
export function parseHcl(text: string): HclBody {
  const source = new HclSource(text);
  if (text.length > LONGEST) source.fail('at most 1 MiB is read', 0);
  const items = readItems(source, 0);
  if (source.at < text.length) source.fail(`a name was expected, not ${source.shown()}`);
  return { items, place: { line: 1, column: 1 } };
}

/** Up to a closing brace or the end. */
function readItems(source: HclSource, depth: number): HclItem[] {
  const items: HclItem[] = [];
  for (source.skipBlanks(); source.next !== '' && source.next !== '}'; source.skipBlanks()) {
    items.push(readItem(source, depth));
    source.skipBlanks();
    if (source.next === ',') source.at++;
  }
  return items;
}

function readItem(source: HclSource, depth: number): HclItem {
  const place = source.placeOf(source.at);
  const key = readKey(source);
  const labels: string[] = [];
  for (source.skipBlanks(); ; source.skipBlanks()) {
    const { next } = source;
    if (next === '{') return { key, labels, value: readBody(source, depth + labels.length + 1), place };
    if (next === '=' || next === ':') break;
    if (next === '' || next === '}' || next === ',') source.fail(`= or { was expected, not ${source.shown()}`);
    if (depth + labels.length >= DEEPEST) failDepth(source);
    labels.push(readKey(source));
  }
  if (labels.length > 0) source.fail('{ was expected: only a block has labels');
  source.at++;
  source.skipBlanks();
  return { key, labels, value: readValue(source, depth + 1), place };
}

function readKey(source: HclSource): string {
  if (source.next === '"') return readString(source);
  return source.takeName() ?? source.fail(`a name was expected, not ${source.shown()}`);
}

function readValue(source: HclSource, depth: number): HclValue {
  switch (source.next) {
    case '"':
      return readString(source);
    case '<':
      return readHeredoc(source);
    case '[':
      return readList(source, depth);
    case '{':
      return readBody(source, depth);
    default:
      return readWord(source);
  }
}

function readWord(source: HclSource): HclValue {
  const start = source.at;
  const number = source.takeNumber();
  if (number !== undefined) return numberOf(number) ?? source.fail(`${number} is no number`, start);
  const word = source.takeName();
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'null') return null;
  return source.fail(`a value was expected, not ${source.shown(start)}`, start);
}

/** `0x1f` is in base 16 and `017` in base 8. */
function numberOf(text: string): number | undefined {
  const isNegative = text.startsWith('-');
  const digits = isNegative ? text.slice(1) : text;
  const isOctal = /^0\d+$/.test(digits);
  const number = isOctal ? Number(`0o${digits.slice(1)}`) : Number(digits);
  if (!Number.isFinite(number)) return undefined;
  return isNegative ? -number : number;
}

function readList(source: HclSource, depth: number): readonly HclValue[] {
  const start = enter(source, depth);
  const values: HclValue[] = [];
  for (source.skipBlanks(); source.next !== ']'; source.skipBlanks()) {
    if (source.next === '') source.fail('this [ has no ]', start);
    values.push(readValue(source, depth + 1));
    source.skipBlanks();
    if (source.next === ',') source.at++;
    else if (source.next !== ']') source.fail(`, or ] was expected, not ${source.shown()}`);
  }
  source.at++;
  return values;
}

function readBody(source: HclSource, depth: number): HclBody {
  const start = enter(source, depth);
  const items = readItems(source, depth);
  if (source.next !== '}') source.fail('this { has no }', start);
  source.at++;
  return { items, place: source.placeOf(start) };
}

/** Passes an opening bracket and tells where it stands. */
function enter(source: HclSource, depth: number): number {
  if (depth > DEEPEST) failDepth(source);
  return source.at++;
}

function failDepth(source: HclSource): never {
  return source.fail(`at most ${DEEPEST} levels are read`);
}
