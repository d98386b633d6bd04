import { messageOf, DroverError } from '../lib/index.ts';
import type { NodeDrafts } from '../registry/index.ts';
import type { KvDraft } from './kv-draft.ts';
import { evaluateCheck, evaluateNode, evaluateService } from './txn-catalog.ts';
import { evaluateKv } from './txn-kv.ts';
import type { SessionOp, TxnOp, TxnProblem, TxnResult } from './txn-op.ts';
import { badTxnOp, TxnOpError } from './txn-problem.ts';

/** What a transaction is tried out on. */
export interface TxnDraft {
  readonly kv: KvDraft;
  readonly nodes: NodeDrafts;
}

export interface Evaluated {
  readonly results: readonly TxnResult[];
  readonly problems: readonly TxnProblem[];
}

/** Does the operations one after the other in a draft, each seeing what those before it wrote; every problem is told. Pure. */
export function evaluateTxn(draft: TxnDraft, ops: readonly TxnOp[]): Evaluated {
  const results: TxnResult[] = [];
  const problems: TxnProblem[] = [];
  for (const [opIndex, op] of ops.entries()) {
    try {
      results.push(...evaluate(draft, op));
    } catch (error) {
      if (!(error instanceof TxnOpError || error instanceof DroverError)) throw error;
      problems.push({ opIndex, what: messageOf(error) });
    }
  }
  return { results, problems };
}

function evaluate({ kv, nodes }: TxnDraft, op: TxnOp): readonly TxnResult[] {
  switch (op.type) {
    case 'kv':
      return evaluateKv(kv, op);
    case 'node':
      return evaluateNode(nodes, op);
    case 'service':
      return evaluateService(nodes, op);
    case 'check':
      return evaluateCheck(nodes, op);
    case 'session':
      return evaluateSession(kv, op);
    case 'none':
      throw badTxnOp('no operation specified');
  }
}

/** Consul has one verb for sessions: `delete`. */
function evaluateSession(kv: KvDraft, { verb, id }: SessionOp): readonly TxnResult[] {
  if (verb !== 'delete') throw badTxnOp(`unknown Session verb ${JSON.stringify(verb)}`);
  const session = kv.session(id);
  if (session !== undefined) kv.endSession(session);
  return [];
}
