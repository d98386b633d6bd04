import { z } from 'zod';
import { describeValue } from '../../definition/index.ts';
import { nearest, parseDuration } from '../../lib/index.ts';
import { badParameter, unknownParameter } from './errors.ts';

/** Nothing is taken. */
export const NONE = z.strictObject({});

/** `?name`, `?name=true`, `?name=false`; absent is false. */
export function flag(description: string) {
  return z
    .stringbool({
      truthy: ['', 'true', '1'],
      falsy: ['false', '0'],
      error: 'expected true or false',
    })
    .meta({ type: 'boolean', description })
    .default(false);
}

/** A whole number as a path or query has it. */
export function wholeNumber(description: string, { least = 0, most = Number.MAX_SAFE_INTEGER } = {}) {
  const error = `expected a whole number from ${least} to ${most}`;
  return z
    .string()
    .regex(/^\d{1,16}$/, { error })
    .transform(Number)
    .refine((value) => value >= least && value <= most, { error })
    .meta({ type: 'integer', minimum: least, maximum: most, pattern: undefined, description });
}

/** A duration in ms, written `30s`, at most `mostMs`. */
export function duration(description: string, mostMs: number, most: string) {
  const error = `expected a duration from 0s to ${most}, such as 30s`;
  return z
    .string()
    .refine((text) => durationOf(text) >= 0 && durationOf(text) <= mostMs, { error })
    .transform(durationOf)
    .meta({ type: 'string', examples: ['30s', '1m30s'], description });
}

function durationOf(text: string): number {
  try {
    return parseDuration(text);
  } catch {
    return Number.NaN;
  }
}

/** Path parameters. @throws API_BAD_PARAMETER */
export function readParams<Schema extends z.ZodObject>(schema: Schema, params: unknown): z.output<Schema> {
  return read(schema, params, 'in the path');
}

/** Query parameters. @throws API_UNKNOWN_PARAMETER naming the nearest, API_BAD_PARAMETER */
export function readQuery<Schema extends z.ZodObject>(schema: Schema, query: unknown): z.output<Schema> {
  const given = query as Readonly<Record<string, unknown>>;
  const known = Object.keys(schema.shape);
  const stranger = Object.keys(given).find((name) => !known.includes(name));
  if (stranger !== undefined) throw strange(stranger, known);
  const twice = Object.keys(given).find((name) => Array.isArray(given[name]));
  if (twice !== undefined)
    throw badParameter.with({ hint: 'give it once' }, `the query parameter "${twice}" is given more than once`);
  // A plain object: the parser's has no prototype, which zod takes for something else.
  return read(schema, { ...given }, 'as a query parameter');
}

/** Headers; those that the schema does not know are not looked at. @throws API_BAD_PARAMETER */
export function readHeaders<Schema extends z.ZodObject>(schema: Schema, headers: object): z.output<Schema> {
  const known = Object.entries(headers).filter(([name]) => name in schema.shape);
  return read(schema, Object.fromEntries(known), 'as a header');
}

function strange(name: string, known: readonly string[]): Error {
  const near = nearest(name, known);
  const meant = near === undefined ? '' : `: did you mean "${near}"?`;
  const hint = known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`;
  return unknownParameter.with({ hint }, `unknown query parameter ${JSON.stringify(name)}${meant}`);
}

function read<Schema extends z.ZodObject>(schema: Schema, value: unknown, where: string): z.output<Schema> {
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  const [issue] = result.error.issues as [z.core.$ZodIssue];
  const name = String(issue.path[0] ?? '');
  const field = schema.shape[name] as z.ZodType | undefined;
  const what = `${name} ${where}`;
  const found = issue.input === undefined ? 'it is missing' : `found ${describeValue(issue.input)}`;
  const description = field?.meta()?.['description'] ?? field?.description;
  throw badParameter.with(
    { hint: `${name}: ${String(description ?? issue.message)}`, cause: result.error },
    issue.input === undefined ? `${what} is missing` : `${what}: ${issue.message}, ${found}`,
  );
}
