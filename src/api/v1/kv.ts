import { denied, type Authority } from '../../access/index.ts';
import { checkPrefix, kvPrefixTopic, kvTopic, type Written } from '../../kv/index.ts';
import type { Answer, LiveQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { keyPrefixText } from '../key-text.ts';
import { answerRead } from './blocking.ts';
import { changedAt, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { entryJson } from './kv-wire.ts';
import { bytesOfText, textOfBytes } from './percent.ts';
import type { Query } from './query.ts';

/** Key/value (consul-http-api 3). */
export function kvRoutes(context: ApiContext): V1Route[] {
  return [
    {
      path: 'kv/',
      bodyLimit: context.kvWrites.maxValueBytes,
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
  const { argumentBytes: key, query, authority } = request;
  if (query.has('keys')) return readKeys(context, request, key);
  if (query.has('recurse')) return readList(context, request, key);
  if (key === '') throw badRequest('Missing key name');
  if (request.kept.readableFor !== authority.id) {
    authority.demand('key', textOfBytes(key), 'read');
    request.kept.readableFor = authority.id;
  }
  if (query.has('raw')) return answerRead(context, request, (request.kept.live ??= rawQuery(context, key)), rawOf);
  // Who may read it sees all of it, so the question is the same for everyone who comes this far.
  return answerRead(context, request, (request.kept.live ??= entryQuery(context, key)), orNotFound);
}

function readKeys(context: ApiContext, request: V1Request, prefix: string): V1Answer | Promise<V1Answer> {
  const { authority } = request;
  checkPrefix(prefix);
  demandList(context, authority, prefix);
  const separator = request.query.get('separator') ?? request.query.get('seperator') ?? '';
  const query: LiveQuery = {
    key: `kv keys ${JSON.stringify([prefix, separator, authority.id])}`,
    topics: [kvPrefixTopic(prefix)],
    render: () => {
      let isFiltered = false;
      const keys = context.kv.keys(prefix, bytesOfText(separator), (key) => {
        const isSeen = authority.allows('key', textOfBytes(key), 'read');
        isFiltered ||= !isSeen;
        return isSeen;
      });
      return { text: JSON.stringify(keys.map(textOfBytes)), isFiltered };
    },
  };
  return answerRead(context, request, query, prefix === '' ? undefined : orNotFound);
}

function readList(context: ApiContext, request: V1Request, prefix: string): V1Answer | Promise<V1Answer> {
  const { authority } = request;
  checkPrefix(prefix);
  demandList(context, authority, prefix);
  const query: LiveQuery = {
    key: `kv list ${JSON.stringify([prefix, authority.id])}`,
    topics: [kvPrefixTopic(prefix)],
    render: () => {
      const all = context.kv.list(prefix);
      const seen = all.filter(({ key }) => authority.allows('key', textOfBytes(key), 'read'));
      return { text: `[${seen.map(entryJson).join(',')}]`, isFiltered: seen.length < all.length };
    },
  };
  return answerRead(context, request, query, orNotFound);
}

/** `enable_key_list_policy`: what lists keys needs `list` on the prefix; each key still needs `read`. */
function demandList({ access }: ApiContext, authority: Authority, prefix: string): void {
  if (access.keyListPolicy === true) authority.demand('key', textOfBytes(prefix), 'list');
}

function entryQuery(context: ApiContext, key: string): LiveQuery {
  checkPrefix(key);
  return {
    key: `kv ${JSON.stringify(key)}`,
    topics: [kvTopic(key)],
    render: () => {
      const entry = context.kv.get(key);
      return `[${entry === undefined ? '' : entryJson(entry)}]`;
    },
  };
}

const NONE = Buffer.from('[]');
const NOT_FOUND: V1Answer = Object.freeze({ status: 404 });

function orNotFound(answer: Answer): V1Answer {
  return answer.body.equals(NONE) ? NOT_FOUND : { json: answer.body };
}

/** A value alone: who waits for it is not woken by the lock, the flags or the index. */
function rawQuery(context: ApiContext, key: string): LiveQuery {
  checkPrefix(key);
  return {
    key: `kv raw ${JSON.stringify(key)}`,
    topics: [kvTopic(key)],
    // A first letter tells an empty value from none.
    render: () => {
      const entry = context.kv.get(key);
      return entry === undefined ? '' : `=${entry.value.toString('base64')}`;
    },
  };
}

function rawOf({ body }: Answer): V1Answer {
  if (body.length === 0) return NOT_FOUND;
  const headers = {
    'Content-Type': 'text/plain',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': 'sandbox',
  };
  return { bytes: Buffer.from(body.toString('latin1', 1), 'base64'), headers };
}

async function put(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argumentBytes: key, query, authority } = request;
  if (key === '') throw badRequest('Missing key name');
  refuseConflicts(query, ['cas', 'acquire', 'release']);
  const cas = casOf(query);
  authority.demand('key', textOfBytes(key), 'write');
  const written = await write(context, request, cas);
  return { json: String(written.ok), headers: changedAt(written.revision) };
}

function write({ kvWrites }: ApiContext, request: V1Request, cas: number | undefined): Promise<Written> {
  const { argumentBytes: key, query, body, author } = request;
  const flags = query.get('flags');
  const options = { author, ...(flags === null || flags === '' ? {} : { flags }) };
  const acquire = query.get('acquire');
  if (acquire !== null) return kvWrites.acquire(key, body, acquire, options);
  const release = query.get('release');
  if (release !== null) return kvWrites.release(key, body, release, options);
  return kvWrites.put(key, body, cas === undefined ? options : { ...options, cas });
}

async function remove(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { argumentBytes: key, query, author } = request;
  const recurse = query.has('recurse');
  if (key === '' && !recurse) throw badRequest('Missing key name');
  refuseConflicts(query, ['recurse', 'cas']);
  const cas = casOf(query);
  demandDelete(request.authority, key, recurse);
  const written = recurse
    ? await context.kvWrites.deleteTree(key, { author })
    : await context.kvWrites.delete(key, cas === undefined ? { author } : { author, cas });
  return { json: String(written.ok), headers: changedAt(written.revision) };
}

/** A recursive delete needs `write` on everything that may be under the prefix. */
function demandDelete(authority: Authority, key: string, recurse: boolean): void {
  if (!recurse) return authority.demand('key', textOfBytes(key), 'write');
  const prefix = keyPrefixText(key);
  if (!authority.allowsUnder('key', prefix, 'write')) throw denied(authority.accessor, 'key:write', prefix);
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
