import type { Authority } from '../../access/index.ts';
import { shuffle } from '../../lib/index.ts';
import { type ExecutedQuery, type Instance, PREPARED_TOPIC, type PreparedQuery } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { internal, notFound } from '../errors.ts';
import { bodyJson, changedAt, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { wireInstanceHealth } from './health.ts';
import { type SentQuery, sentQuery } from './prepared-queries-body.ts';
import { HIDDEN, wireQuery } from './prepared-queries-wire.ts';
import { readHeaders } from './read-headers.ts';
import { seesInstance } from './sees.ts';

/** Prepared queries (consul-http-api 11). None of their reads blocks, as in Consul. */
export function preparedQueryRoutes(context: ApiContext): V1Route[] {
  return [
    {
      path: 'query',
      methods: { GET: (request) => list(context, request), POST: (request) => create(context, request) },
    },
    {
      path: 'query/',
      methods: {
        GET: (request) => read(context, request),
        PUT: (request) => orRefused(request, 'PUT') ?? update(context, request),
        DELETE: (request) => orRefused(request, 'DELETE') ?? remove(context, request),
      },
    },
  ];
}

function list(context: ApiContext, request: V1Request): V1Answer {
  const { authority } = request;
  const all = context.preparedQueries.state.list();
  const seen = all.filter(({ record }) => (isNamed(record) ? mayRead(authority, record) : isManagement(authority)));
  return answer(
    context,
    request,
    seen.map((query) => wireQuery(query.record, query)),
    seen.length < all.length,
  );
}

/** A list, or an object, with the headers of reads. */
function answer(context: ApiContext, request: V1Request, body: unknown, isFiltered = false): V1Answer {
  const index = context.preparedQueries.state.index(PREPARED_TOPIC);
  const headerList = readHeaders(context.store.status(), index, 'leader', context.access.defaultPolicy);
  if (isFiltered && request.hasToken) headerList.push('X-Consul-Results-Filtered-By-ACLs', 'true');
  return { ...json(body), headerList };
}

const ACTS = /^(.*)\/(execute|explain)$/s;

/** What is executed and explained cannot be changed there: 405, as of a path of its own. */
function orRefused({ argument }: V1Request, method: string): V1Answer | undefined {
  if (!ACTS.test(argument)) return undefined;
  return { status: 405, text: `method ${method} not allowed`, headers: { Allow: 'OPTIONS,GET' } };
}

/** `<id>`, `<id or name>/execute` and `<id or name>/explain`. */
function read(context: ApiContext, request: V1Request): V1Answer {
  const { argument } = request;
  const [, name = '', act] = ACTS.exec(argument) ?? [];
  if (act === 'execute') return execute(context, request, name);
  return act === 'explain' ? explain(context, request, name) : get(context, request, argument);
}

function get(context: ApiContext, request: V1Request, id: string): V1Answer {
  const query = knownQuery(context, id);
  if (isNamed(query.record)) request.authority.demand('query', query.record.name, 'read');
  return answer(context, request, [wireQuery(query.record, query)]);
}

function knownQuery({ preparedQueries }: ApiContext, id: string): PreparedQuery {
  const query = preparedQueries.state.get(id);
  if (query === undefined) throw notFound('Query not found');
  return query;
}

function explain(context: ApiContext, request: V1Request, name: string): V1Answer {
  const { state } = context.preparedQueries;
  const record = state.resolve(name);
  if (record === undefined) throw notFound('Query not found');
  if (isNamed(record)) request.authority.demand('query', record.name, 'read');
  return answer(context, request, { Query: wireQuery(record, knownQuery(context, record.id)) });
}

function execute(context: ApiContext, request: V1Request, name: string): V1Answer {
  const { query, authority } = request;
  const limit = limitOf(query.get('limit') ?? '');
  const source = request.remoteAddress.replace(/^::ffff:/, '');
  const executed = context.preparedQueries.execute(name, { near: query.get('near') ?? '', source });
  if (executed === undefined) throw notFound('Query not found');
  const { instances } = executed;
  const judge = judgeOf(context, authority, executed);
  const seen = judge.id === '' ? instances : instances.filter((one) => seesInstance(judge, one));
  const ordered = executed.isOrdered ? seen : shuffle([...seen], context.random);
  const body = wireExecuted(context, executed, limit > 0 ? ordered.slice(0, limit) : ordered);
  return answer(context, request, body, seen.length < instances.length);
}

/** The token that is bound to the query counts before that of who asks. */
function judgeOf({ access }: ApiContext, authority: Authority, { query: { accessor } }: ExecutedQuery): Authority {
  return accessor === '' ? authority : (access.authorityOfAccessor?.(accessor) ?? authority);
}

function wireExecuted(
  { region }: ApiContext,
  { service, query, failovers }: ExecutedQuery,
  instances: readonly Instance[],
): Record<string, unknown> {
  return {
    Service: service,
    Nodes: instances.map((one) => wireInstanceHealth(one, region)),
    DNS: { TTL: query.dnsTtl },
    Datacenter: region,
    Failovers: failovers,
  };
}

function limitOf(text: string): number {
  if (text === '') return 0;
  if (/^[+-]?\d{1,15}$/.test(text)) return Number(text);
  throw internal(`Bad limit: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
}

async function create(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const sent = sentQuery(bodyJson(request));
  if (sent.record.id !== '') throw internal('ID must be empty when creating a new prepared query');
  demandWrite(context, request, sent.record);
  const accessor = accessorOf(context, request, sent, '');
  const { id, revision } = await context.preparedWrites.create({ ...sent.record, accessor });
  return { ...json({ ID: id }), headers: changedAt(revision) };
}

async function update(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const sent = sentQuery(bodyJson(request));
  demandWrite(context, request, sent.record);
  const { revision } = await context.preparedWrites.update(request.argument, (before) => {
    demandWrite(context, request, before.record);
    return { ...sent.record, accessor: accessorOf(context, request, sent, before.record.accessor) };
  });
  return { headers: changedAt(revision) };
}

async function remove(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { revision } = await context.preparedWrites.remove(request.argument, ({ record }) =>
    demandWrite(context, request, record),
  );
  return { headers: changedAt(revision) };
}

/**
 * Of a token only its AccessorID is kept, and nothing while there is no access control. What is shown of one, sent back by
 * who has all rights anyway, stands for the one there is: anybody else could ask for something else with a token not theirs.
 */
function accessorOf({ access }: ApiContext, { authority }: V1Request, { token }: SentQuery, before: string): string {
  if (token === HIDDEN && before !== '' && isManagement(authority)) return before;
  if (token === HIDDEN) {
    throw internal(`Bad Token '${token}', it looks like a query definition with a redacted token was submitted`);
  }
  return token === '' || !access.isEnabled ? '' : access.authorityOf(token).accessor;
}

type Named = Pick<PreparedQuery['record'], 'name' | 'template'>;
type Owned = Named & Pick<PreparedQuery['record'], 'session'>;

/** Rules speak of names: a query without one is open to whoever knows its id. */
function isNamed({ name, template }: Named): boolean {
  return name !== '' || template !== null;
}

function mayRead(authority: Authority, { name }: Named): boolean {
  return authority.allows('query', name, 'read');
}

function isManagement(authority: Authority): boolean {
  return authority.allows('acl', '', 'write');
}

/** A query without a name lives and dies with a session: who may not have one there may not fill the store with what hangs on it. */
function demandWrite({ sessions }: ApiContext, { authority }: V1Request, record: Owned): void {
  if (isNamed(record)) return authority.demand('query', record.name, 'write');
  const session = sessions.get(record.session);
  if (session !== undefined) authority.demand('session', session.node, 'write');
}
