import { kvPrefixTopic, kvTopic, MAX_VALUE_BYTES, type KvEntry } from '../../kv/index.ts';
import type { Answer, LiveQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRead } from './blocking.ts';
import { changedAt, isSet, type V1Answer, type V1Request, type V1Route } from './exchange.ts';

/** Key/value (consul-http-api 3). Locks through sessions come with sessions. */
export function kvRoutes(context: ApiContext): V1Route[] {
  return [
    {
      path: 'kv/',
      // A body over the limit gets Consul's own words: the router says them.
      bodyLimit: MAX_VALUE_BYTES,
      methods: {
        GET: (request) => read(context, request),
        PUT: (request) => put(context, request),
        DELETE: (request) => remove(context, request),
      },
    },
  ];
}

function read(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argumentBytes: key, query } = request;
  if (isSet(query, 'keys')) return readKeys(context, request, key);
  if (isSet(query, 'recurse')) return answerRead(context, request, listQuery(context, key), orNotFound);
  if (key === '') throw badRequest('Missing key name');
  if (isSet(query, 'raw'))
    return answerRead(context, request, entryQuery(context, key), () => rawOf(context.kv.get(key)));
  return answerRead(context, request, entryQuery(context, key), orNotFound);
}

function readKeys(context: ApiContext, request: V1Request, prefix: string): Promise<V1Answer> {
  const separator = request.query.get('separator') ?? request.query.get('seperator') ?? '';
  const query: LiveQuery = {
    key: `kv keys ${JSON.stringify([prefix, separator])}`,
    topics: [kvPrefixTopic(prefix)],
    render: () => JSON.stringify(context.kv.keys(prefix, Buffer.from(separator).toString('latin1')).map(toText)),
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

function orNotFound(answer: Answer): V1Answer {
  return answer.body.equals(NONE) ? { status: 404, text: '' } : { json: answer.body };
}

function rawOf(entry: KvEntry | undefined): V1Answer {
  if (entry === undefined) return { status: 404, text: '' };
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
  return `{"LockIndex":${lockIndex},"Key":${JSON.stringify(toText(key))},"Flags":${flags},"Value":${encoded},${holder}"CreateIndex":${createRevision},"ModifyIndex":${modRevision}}`;
}

function toText(key: string): string {
  return Buffer.from(key, 'latin1').toString('utf8');
}

async function put(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argumentBytes: key, query, body } = request;
  if (key === '') throw badRequest('Missing key name');
  refuseConflicts(query, ['cas', 'acquire', 'release']);
  if (isSet(query, 'acquire') || isSet(query, 'release')) {
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
  const recurse = isSet(query, 'recurse');
  if (key === '' && !recurse) throw badRequest('Missing key name');
  refuseConflicts(query, ['recurse', 'cas']);
  const cas = casOf(query);
  const written = recurse
    ? await context.kvWrites.deleteTree(key)
    : await context.kvWrites.delete(key, cas === undefined ? {} : { cas });
  return { json: String(written.ok), headers: changedAt(written.revision) };
}

function refuseConflicts(query: URLSearchParams, names: readonly string[]): void {
  const given = names.filter((name) => isSet(query, name));
  if (given.length > 1) throw badRequest(`Conflicting flags: ${query.toString()}\n`);
}

function casOf(query: URLSearchParams): number | undefined {
  const text = query.get('cas');
  if (text === null) return undefined;
  if (!/^\d{1,16}$/.test(text)) throw badRequest(`Invalid cas index ${JSON.stringify(text)}`);
  return Number(text);
}
