import { kvPrefixTopic, kvTopic, MAX_VALUE_BYTES, type KvEntry } from '../../kv/index.ts';
import type { Answer, LiveQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRead } from './blocking.ts';
import { changedAt, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { bytesOfText, textOfBytes } from './percent.ts';
import type { Query } from './query.ts';

/** Key/value (consul-http-api 3). Locks through sessions come with sessions. */
export function kvRoutes(context: ApiContext): V1Route[] {
  return [
    {
      path: 'kv/',
      bodyLimit: MAX_VALUE_BYTES,
      anyBytes: true,
      methods: {
        GET: (request) => read(context, request),
        PUT: (request) => put(context, request),
        DELETE: (request) => remove(context, request),
      },
    },
  ];
}

function read(context: ApiContext, request: V1Request): V1Answer | Promise<V1Answer> {
  const { argumentBytes: key, query } = request;
  if (query.has('keys')) return readKeys(context, request, key);
  if (query.has('recurse')) return answerRead(context, request, listQuery(context, key), orNotFound);
  if (key === '') throw badRequest('Missing key name');
  if (query.has('raw')) return answerRead(context, request, entryQuery(context, key), () => rawOf(context.kv.get(key)));
  return answerRead(context, request, (request.kept.live ??= entryQuery(context, key)), orNotFound);
}

function readKeys(context: ApiContext, request: V1Request, prefix: string): V1Answer | Promise<V1Answer> {
  const separator = request.query.get('separator') ?? request.query.get('seperator') ?? '';
  const query: LiveQuery = {
    key: `kv keys ${JSON.stringify([prefix, separator])}`,
    topics: [kvPrefixTopic(prefix)],
    render: () => JSON.stringify(context.kv.keys(prefix, bytesOfText(separator)).map(textOfBytes)),
  };
  return answerRead(context, request, query, prefix === '' ? undefined : orNotFound);
}

function entryQuery(context: ApiContext, key: string): LiveQuery {
  return {
    key: `kv ${JSON.stringify(key)}`,
    topics: [kvTopic(key)],
    render: () => {
      const entry = context.kv.get(key);
      return `[${entry === undefined ? '' : entryJson(entry)}]`;
    },
  };
}

function listQuery(context: ApiContext, prefix: string): LiveQuery {
  return {
    key: `kv list ${JSON.stringify(prefix)}`,
    topics: [kvPrefixTopic(prefix)],
    render: () => `[${context.kv.list(prefix).map(entryJson).join(',')}]`,
  };
}

const NONE = Buffer.from('[]');
const NOT_FOUND: V1Answer = Object.freeze({ status: 404 });

function orNotFound(answer: Answer): V1Answer {
  return answer.body.equals(NONE) ? NOT_FOUND : { json: answer.body };
}

function rawOf(entry: KvEntry | undefined): V1Answer {
  if (entry === undefined) return NOT_FOUND;
  const headers = {
    'Content-Type': 'text/plain',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': 'sandbox',
  };
  return { bytes: entry.value, headers };
}

/** Consul's entry; flags keep every digit, so the JSON is put together by hand. */
function entryJson(entry: KvEntry): string {
  const { key, value, flags, lockIndex, session, createRevision, modRevision } = entry;
  const encoded = value.length === 0 ? 'null' : `"${value.toString('base64')}"`;
  const holder = session === undefined ? '' : `"Session":${JSON.stringify(session)},`;
  return `{"LockIndex":${lockIndex},"Key":${JSON.stringify(textOfBytes(key))},"Flags":${flags},"Value":${encoded},${holder}"CreateIndex":${createRevision},"ModifyIndex":${modRevision}}`;
}

async function put(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argumentBytes: key, query, body } = request;
  if (key === '') throw badRequest('Missing key name');
  refuseConflicts(query, ['cas', 'acquire', 'release']);
  if (query.has('acquire') || query.has('release')) {
    throw badRequest('acquire and release need sessions, which this version does not have yet');
  }
  const flags = query.get('flags');
  const cas = casOf(query);
  const written = await context.kvWrites.put(key, body, {
    ...(flags === null || flags === '' ? {} : { flags }),
    ...(cas === undefined ? {} : { cas }),
  });
  return { json: String(written.ok), headers: changedAt(written.revision) };
}

async function remove(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argumentBytes: key, query } = request;
  const recurse = query.has('recurse');
  if (key === '' && !recurse) throw badRequest('Missing key name');
  refuseConflicts(query, ['recurse', 'cas']);
  const cas = casOf(query);
  const written = recurse
    ? await context.kvWrites.deleteTree(key)
    : await context.kvWrites.delete(key, cas === undefined ? {} : { cas });
  return { json: String(written.ok), headers: changedAt(written.revision) };
}

function refuseConflicts(query: Query, names: readonly string[]): void {
  const given = names.filter((name) => query.has(name));
  if (given.length > 1) throw badRequest(`Conflicting flags: ${query.toString()}\n`);
}

function casOf(query: Query): number | undefined {
  const text = query.get('cas');
  if (text === null) return undefined;
  if (!/^\d{1,20}$/.test(text)) throw badRequest(`Invalid cas index ${JSON.stringify(text)}`);
  return Number(text);
}
