import type { Authority } from '../../access/index.ts';
import { isRead, type TxnOutcome, type TxnProblem } from '../../kv/index.ts';
import type { ApiContext } from '../context.ts';
import { changedAt, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { asAsked, opsOf, refusals, seesResult, shownOps, type AskedOp } from './txn-access.ts';
import { resultJson } from './txn-wire.ts';
import { MAX_OPS, parseTxn, tooManyText, txnTooLargeText } from './parse-txn.ts';
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
  const shown = shownOps(context, authority, ops);
  if (ops.every(isRead)) return readOnly(context, request, shown);
  const outcome = await context.transactions.run(opsOf(shown), { author });
  return outcome.ok
    ? { json: resultsJson(context, authority, outcome), headers: changedAt(outcome.revision) }
    : conflict(asAsked(outcome.problems, shown));
}

/** Needs no agreement: answered from memory, as fresh as is asked for; it has no index. */
async function readOnly(context: ApiContext, request: V1Request, asked: readonly AskedOp[]): Promise<V1Answer> {
  const consistency = consistencyOf(request);
  if (consistency === 'consistent') await catchUp(context);
  const outcome = context.transactions.read(opsOf(asked));
  if (!outcome.ok) return conflict(asAsked(outcome.problems, asked));
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
