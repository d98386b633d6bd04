import { z } from 'zod';
import {
  type Document,
  formatPath,
  readDefinition,
  type ParsedDefinition,
  readDocument,
  serviceSchema,
  validateDocument,
} from '../../definition/index.ts';
import { DroverError } from '../../lib/index.ts';
import { badBody } from './errors.ts';
import { parseJsonText } from './json-text.ts';

/** Most bytes of any body under `/v2`: that of a file of definitions. */
export const BODY_LIMIT = 1_048_576;
/** Most definitions that are applied together: they are checked against each other while nothing else can run. */
const MOST_DEFINITIONS = 2_000;
/** Up to here a broken text is read again to say where it is broken. */
const EXPLAINED = 16_384;

/** How a route's body is described and read. */
export interface Body<Content> {
  /** null: the route takes none. */
  readonly schema: z.ZodType | null;
  /** @throws what is wrong with it, with a place where there is one */
  read(bytes: Buffer | undefined): Content;
}

/** No body; an empty one and `{}` count as none. */
export const NO_BODY: Body<undefined> = {
  schema: null,
  read(bytes) {
    const text = bytes?.toString('latin1').trim() ?? '';
    if (text === '' || text === '{}') return undefined;
    throw badBody.with({ hint: 'leave the body out; what it takes are query parameters' }, 'a body is not taken here');
  },
};

/** A JSON body of the schema's form whose values are secrets: no error shows them. */
export function secretBody<Schema extends z.ZodType>(schema: Schema, example: string): Body<z.output<Schema>> {
  return bodyOf(schema, example, true);
}

/** A JSON body of the schema's form. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema, example: string): Body<z.output<Schema>> {
  return bodyOf(schema, example, false);
}

function bodyOf<Schema extends z.ZodType>(schema: Schema, example: string, isSecret: boolean): Body<z.output<Schema>> {
  return {
    schema,
    read(bytes) {
      const document = readJson(bytes, example, isSecret);
      try {
        return validateDocument(document, schema);
      } catch (error) {
        throw asBadBody(error, example);
      }
    },
  };
}

/** One document in the form of a service file. */
export const definitionBody: Body<DefinitionDocument> = {
  schema: serviceSchema,
  read: (bytes) => definitionDocument(readJson(bytes, '{"id": "api", …}, as in a service file', false), []),
};

/** A list of documents in the form of service files. */
export const definitionsBody: Body<readonly DefinitionDocument[]> = {
  schema: z.array(serviceSchema).min(1),
  read(bytes) {
    const document = readJson(bytes, '[{"id": "api", …}, …], each as in a service file', false);
    const { value } = document;
    if (!Array.isArray(value) || value.length === 0)
      throw badBody.with({ hint: 'write [{"id": …}, …]' }, 'expected a list of definitions');
    if (value.length > MOST_DEFINITIONS)
      throw badBody.with({ hint: 'send fewer at once' }, `more than ${MOST_DEFINITIONS} definitions in one body`);
    return value.map((_, index) => definitionDocument(document, [index]));
  },
};

/** A definition that was sent, yet to be parsed: `parse` throws what is wrong with it. */
export interface DefinitionDocument {
  /** The federation that the document itself names. */
  readonly federation: unknown;
  parse(): ParsedDefinition;
}

function definitionDocument(whole: Document, at: readonly number[]): DefinitionDocument {
  const [index] = at;
  const value = index === undefined ? whole.value : (whole.value as unknown[])[index];
  const document: Document = {
    ...whole,
    value,
    placeOf: (path) => ({ path: formatPath([...at, ...path]) }),
    writtenAt: (path) => whole.writtenAt([...at, ...path]),
  };
  return {
    federation: (value as { federation?: unknown } | null)?.federation,
    parse: () => readDefinition(document),
  };
}

function readJson(bytes: Buffer | undefined, example: string, secret: boolean): Document {
  const text = decode(bytes);
  if (text.trim() === '') throw badBody.with({ hint: `send ${example}` }, 'the body is missing');
  try {
    const json = parseJsonText(text);
    return { file: '', text: '', secret, ...json, placeOf, excerptOf: () => undefined };
  } catch (error) {
    throw broken(error, text, example, secret);
  }
}

const placeOf: Document['placeOf'] = (path) => (path.length === 0 ? {} : { path: formatPath(path) });

function decode(bytes: Buffer | undefined): string {
  try {
    return bytes === undefined ? '' : new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw badBody.with({ hint: 'send it as UTF-8', cause }, 'the body is not UTF-8 text');
  }
}

/** JSON.parse says little of where a text is broken, and may show its content: small ones are read again as files are. */
function broken(error: unknown, text: string, example: string, secret: boolean): Error {
  if (error instanceof RangeError) return badBody.with({ hint: `send ${example}`, cause: error }, error.message);
  const hint = `send ${example}`;
  if (text.length > EXPLAINED) return badBody.with({ hint }, 'the body is not JSON');
  try {
    readDocument(text, 'body.json', { secret });
    return badBody.with({ hint: 'send JSON without comments and trailing commas' }, 'the body is not JSON');
  } catch (cause) {
    return asBadBody(cause, example);
  }
}

function asBadBody(error: unknown, example: string): Error {
  if (!(error instanceof DroverError)) return error as Error;
  const { message, hint = `send ${example}`, place, excerpt, problems } = error;
  const detail = { hint, problems, cause: error };
  const where = { ...(place === undefined ? {} : { place }), ...(excerpt === undefined ? {} : { excerpt }) };
  return badBody.with({ ...detail, ...where }, message);
}
