import type { z } from 'zod';
import { type DroverError, type Place, nearest } from '../lib/index.ts';
import type { Document } from './document.ts';
import { definitionInvalid, definitionUnknownKey } from './errors.ts';
import { MOST_PROBLEMS, throwAll } from './problems.ts';
import { type KeyPath, describeValue, formatPath, isSecretKey } from './describe.ts';

type Issue = z.core.$ZodIssue;

/** What `validateDocument` needs of a document: where things stand. */
export type Placed = Pick<Document, 'value' | 'placeOf' | 'excerptOf' | 'secret'>;

/**
 * The document's value as the schema gives it. Unknown keys, wrong types and missing keys are all reported together, each with file,
 * line, column, key path, what was expected and what was found.
 *
 * @throws DEFINITION_INVALID, DEFINITION_UNKNOWN_KEY; with several problems DEFINITION_INVALID that carries them
 */
export function validateDocument<Schema extends z.ZodType>(document: Placed, schema: Schema): z.output<Schema> {
  const knownKeys = new WeakMap<object, readonly string[]>();
  const result = schema.safeParse(document.value, {
    reportInput: true,
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') rememberKeys(knownKeys, issue);
      return undefined;
    },
  });
  if (result.success) return result.data;
  const issues = result.error.issues.slice(0, MOST_PROBLEMS).flatMap((issue) => flatten(issue, []));
  return throwAll(issues.flatMap((issue) => toErrors(document, issue, knownKeys)).toSorted(byPlace));
}

/**
 * As `validateDocument` for a value that came from no file (an HTTP body): errors name the key's path only.
 *
 * @throws as `validateDocument`
 */
export function validateValue<Schema extends z.ZodType>(value: unknown, schema: Schema): z.output<Schema> {
  return validateDocument(unplaced(value), schema);
}

/** A value without a text behind it. */
export function unplaced(value: unknown): Placed {
  return {
    value,
    secret: false,
    placeOf: (path) => (path.length === 0 ? {} : { path: formatPath(path) }),
    excerptOf: () => undefined,
  };
}

function byPlace(one: DroverError, other: DroverError): number {
  const [a, b] = [one.place ?? {}, other.place ?? {}];
  return (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0);
}

interface RawIssue {
  readonly input?: unknown;
  readonly inst?: unknown;
}

/** Only while zod prints an issue does it know the schema that raised it, and with it the keys that would have been right. */
function rememberKeys(knownKeys: WeakMap<object, readonly string[]>, issue: RawIssue): void {
  const shape = (issue.inst as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def?.shape;
  if (shape !== undefined && issue.input !== null && typeof issue.input === 'object') {
    knownKeys.set(issue.input, Object.keys(shape));
  }
}

interface FlatIssue {
  readonly issue: Issue;
  readonly path: KeyPath;
}

/** A union's issue becomes those of the branch that got furthest, unless the union has a text of its own. */
function flatten(issue: Issue, prefix: KeyPath): FlatIssue[] {
  const path = [...prefix, ...(issue.path as KeyPath)];
  if (issue.code !== 'invalid_union') return [{ issue, path }];
  const deep = issue.errors.find((branch) => branch.length > 0 && !branch.some(isOtherType));
  return deep === undefined ? [{ issue, path }] : deep.flatMap((inner) => flatten(inner, path));
}

/** The value is of another type altogether: this branch of a union was not meant. */
function isOtherType(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_union');
}

function toErrors(document: Placed, flat: FlatIssue, knownKeys: WeakMap<object, readonly string[]>): DroverError[] {
  const { issue, path } = flat;
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys.get(issue.input as object) ?? [];
    return issue.keys.slice(0, MOST_PROBLEMS).map((key) => unknownKeyError(document, path, key, known));
  }
  if (issue.code === 'invalid_type' && issue.input === undefined) return [missingAt(document, path)];
  return [invalidAt(document, path, textOf(document, flat), issue.code === 'invalid_key' ? 'key' : 'value')];
}

function unknownKeyError(document: Placed, path: KeyPath, key: string, known: readonly string[]): DroverError {
  const near = nearest(key, known);
  const place = document.placeOf([...path, key], 'key');
  const inside = path.length === 0 ? '' : `${formatPath(path)}: `;
  const message = `${inside}unknown key "${key}"${near === undefined ? '' : `: did you mean "${near}"?`}`;
  const hint = near === undefined ? `known keys: ${known.join(', ')}` : `write "${near}"`;
  return definitionUnknownKey.with({ place, hint, ...excerpt(document, place) }, message);
}

/** An error about the value, or the key, at a path; `hint` as far as there is one. */
export function invalidAt(
  document: Placed,
  path: KeyPath,
  text: string,
  of: 'key' | 'value' = 'value',
  hint?: string,
): DroverError {
  const place = document.placeOf(path, of);
  const message = path.length === 0 ? text : `${formatPath(path)}: ${text}`;
  const shown = of === 'value' && isSecretPath(path) ? {} : excerpt(document, place);
  return definitionInvalid.with({ place, ...(hint === undefined ? {} : { hint }), ...shown }, message);
}

function isSecretPath(path: KeyPath): boolean {
  return path.some((step) => typeof step === 'string' && isSecretKey(step));
}

function excerpt(document: Placed, place: Place): { excerpt?: string } {
  const text = document.excerptOf(place);
  return text === undefined ? {} : { excerpt: text };
}

function textOf(document: Placed, { issue, path }: FlatIssue): string {
  if (issue.code === 'invalid_key') return `${issue.issues[0]?.message ?? 'not a valid key'}`;
  const secret = document.secret || isSecretPath(path);
  const expected = expectedOf(issue);
  if (expected === undefined) return issue.message;
  return `${expected}, found ${describeValue(issue.input, secret)}${meant(issue)}`;
}

function missingAt(document: Placed, path: KeyPath): DroverError {
  const last = path.at(-1);
  if (typeof last !== 'string') return invalidAt(document, path, 'a value is missing');
  return invalidAt(document, path.slice(0, -1), `the key "${last}" is missing`);
}

/** Undefined for a text that says all by itself. */
function expectedOf(issue: Issue): string | undefined {
  if (issue.message.startsWith('expected ')) return issue.message;
  if (issue.code === 'invalid_union') return expectedOfUnion(issue.errors);
  if (issue.code === 'invalid_type') return `expected ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
  if (issue.code === 'too_small') return `expected at least ${issue.minimum}`;
  if (issue.code === 'too_big') return `expected at most ${issue.maximum}`;
  return undefined;
}

function expectedOfUnion(branches: readonly (readonly Issue[])[]): string | undefined {
  const texts = branches.flatMap((branch) => branch.slice(0, 1).map(expectedOf)).filter((text) => text !== undefined);
  return texts.length === 0 ? undefined : `expected ${[...new Set(texts.map((text) => text.slice(9)))].join(' or ')}`;
}

function meant(issue: Issue): string {
  if (issue.code !== 'invalid_value' || typeof issue.input !== 'string') return '';
  const near = nearest(issue.input, issue.values.map(String));
  return near === undefined ? '' : `: did you mean "${near}"?`;
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a map',
  record: 'a map',
  array: 'a list',
};
