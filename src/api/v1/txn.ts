import { denied, type Authority } from '../../access/index.ts';
import { isRead, type CheckOp, type TxnOp, type TxnOutcome, type TxnProblem, type TxnResult } from '../../kv/index.ts';
import { DroverError } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import { keyPrefixText } from '../key-text.ts';
import { changedAt, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { resultJson } from './txn-wire.ts';
import { MAX_OPS, parseTxn, tooManyText, txnTooLargeText } from './parse-txn.ts';
import { textOfBytes } from './percent.ts';
import { readHeaders, type Consistency } from './read-headers.ts';
import { badRequest } from '../errors.ts';
import { catchUp } from './blocking.ts';

/** Transactions (consul-http-api 5). */
export function txnRoutes(context: ApiContext): V1Route[] {
  return [
    {
      path: 'txn',
      bodyLimit: context.http.txnBytes,
      tooLargeText: (_bytes, limit) => txnTooLargeText(limit),
      methods: { PUT: (request) => run(context, request) },
    },
  ];
}

async function run(context: ApiContext, request: V1Request): Promise<V1Answer> {
  const { authority, author } = request;
  const parsed = parseTxn(request.body, context);
  if ('tooLarge' in parsed) return { status: 413, text: parsed.tooLarge };
  const { ops } = parsed;
  if (ops.length > MAX_OPS) return { status: 413, text: tooManyText(ops.length) };
  const refused = refusals(context, authority, ops);
  if (refused.length > 0) return conflict(refused);
  if (ops.every(isRead)) return readOnly(context, request, ops);
  const outcome = await context.transactions.run(ops, { author });
  return outcome.ok
    ? { json: resultsJson(context, authority, outcome), headers: changedAt(outcome.revision) }
    : conflict(outcome.problems);
}

/** Needs no agreement: answered from memory, as fresh as is asked for; it has no index. */
async function readOnly(context: ApiContext, request: V1Request, ops: readonly TxnOp[]): Promise<V1Answer> {
  const consistency = consistencyOf(request);
  if (consistency === 'consistent') await catchUp(context);
  const outcome = context.transactions.read(ops);
  if (!outcome.ok) return conflict(outcome.problems);
  const [, , ...headerList] = readHeaders(context.store.status(), 1, consistency, context.access.defaultPolicy);
  return { json: resultsJson(context, request.authority, outcome), headerList };
}

function consistencyOf({ query }: V1Request): Consistency {
  const [stale, consistent] = [query.has('stale'), query.has('consistent')];
  if (stale && consistent) throw badRequest('Cannot specify ?stale with ?consistent, conflicting semantics.');
  if (consistent) return 'consistent';
  return stale ? 'stale' : 'leader';
}

function conflict(problems: readonly TxnProblem[]): V1Answer {
  const errors = problems.map(({ opIndex, what }) => ({ OpIndex: opIndex, What: what }));
  return { status: 409, json: JSON.stringify({ Results: null, Errors: errors }) };
}

/** What a token may not read is left out, as of lists. */
function resultsJson(
  { region }: ApiContext,
  authority: Authority,
  { results, revision }: Extract<TxnOutcome, { ok: true }>,
): string {
  const seen = authority.id === '' ? results : results.filter((result) => seesResult(authority, result));
  return `{"Results":[${seen.map((result) => resultJson(result, revision, region)).join(',')}],"Errors":null}`;
}

function seesResult(authority: Authority, result: TxnResult): boolean {
  const sees = (resource: 'key' | 'node' | 'service', name: string): boolean =>
    authority.allows(resource, name, 'read');
  switch (result.type) {
    case 'kv':
      return sees('key', textOfBytes(result.entry.key));
    case 'node':
      return sees('node', result.node.record.name);
    case 'service':
      return sees('service', result.service.record.service) && sees('node', result.node);
    case 'check':
      return sees('node', result.node) && (result.service === undefined || sees('service', result.service.service));
  }
}

/** Every operation that the token may not do, as Consul tells them. */
function refusals(context: ApiContext, authority: Authority, ops: readonly TxnOp[]): TxnProblem[] {
  if (authority.id === '') return [];
  return [...ops.entries()].flatMap(([opIndex, op]): TxnProblem[] => {
    try {
      demandOp(context, authority, op);
      return [];
    } catch (error) {
      if (!(error instanceof DroverError)) throw error;
      return [{ opIndex, what: error.message }];
    }
  });
}

/** Results of reads are filtered; checks of a key would tell of it by their outcome. */
function demandOp(context: ApiContext, authority: Authority, op: TxnOp): void {
  switch (op.type) {
    case 'kv': {
      const key = textOfBytes(op.key);
      if (op.verb === 'delete-tree') {
        const prefix = keyPrefixText(op.key);
        if (!authority.allowsUnder('key', prefix, 'write')) throw denied(authority.accessor, 'key:write', prefix);
      } else if (op.verb.startsWith('check-')) authority.demand('key', key, 'read');
      else if (!isRead(op)) authority.demand('key', key, 'write');
      return;
    }
    case 'node':
      if (op.verb !== 'get') authority.demand('node', op.node.name, 'write');
      return;
    case 'service':
      if (op.verb !== 'get') demandService(context, authority, op.node, op.id, op.instance?.service);
      return;
    case 'check': {
      if (op.verb === 'get') return;
      for (const serviceId of servicesOfCheck(context, op)) {
        if (serviceId === '') authority.demand('node', op.node, 'write');
        else demandService(context, authority, op.node, serviceId, undefined);
      }
      return;
    }
    case 'session': {
      const session = context.sessions.get(op.id);
      if (session !== undefined) authority.demand('session', session.node, 'write');
      return;
    }
    case 'none':
  }
}

/** Both what is there under the id and what is to be. */
function demandService(
  { catalog }: ApiContext,
  authority: Authority,
  node: string,
  id: string,
  wanted: string | undefined,
): void {
  const known = catalog.node(node)?.instances.get(id)?.record.service;
  const names = new Set([known, wanted].filter((name) => name !== undefined));
  for (const name of names.size === 0 ? [id] : names) authority.demand('service', name, 'write');
}

/** Whose check it is and whose it is to be, empty for the node's: one that is replaced may be another service's. */
function servicesOfCheck({ catalog }: ApiContext, { node, id, check }: CheckOp): ReadonlySet<string> {
  const found = catalog.node(node);
  const ids = new Set(check === undefined ? [] : [check.serviceId]);
  if (found?.checks.has(id) === true) ids.add('');
  for (const one of found?.instances.values() ?? []) if (one.checks.has(id)) ids.add(one.record.id);
  return ids.size === 0 ? new Set(['']) : ids;
}
