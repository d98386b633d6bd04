import type { CheckRecord, Drafted, ExternalNode, InstanceRecord, NodeRecord } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { KvEntry } from './kv-entry.ts';

/** One operation of a transaction (consul-http-api 5). Verbs are as they came: an unknown one is an error of its operation. */
export type TxnOp = KvOp | NodeOp | ServiceOp | CheckOp | SessionOp | { readonly type: 'none' };

export interface KvOp {
  readonly type: 'kv';
  readonly verb: string;
  /** Raw bytes as latin1 text. */
  readonly key: string;
  readonly value: Buffer;
  /** As of `parseFlags`. */
  readonly flags: string;
  readonly index: Revision;
  readonly session: string;
}

export interface NodeOp {
  readonly type: 'node';
  readonly verb: string;
  readonly node: ExternalNode;
  readonly index: Revision;
}

export interface ServiceOp {
  readonly type: 'service';
  readonly verb: string;
  readonly node: string;
  readonly id: string;
  /** Undefined where the verb needs none. */
  readonly instance?: InstanceRecord;
  readonly index: Revision;
}

export interface CheckOp {
  readonly type: 'check';
  readonly verb: string;
  readonly node: string;
  readonly id: string;
  /** Undefined where the verb needs none. */
  readonly check?: CheckRecord;
  readonly index: Revision;
}

export interface SessionOp {
  readonly type: 'session';
  readonly verb: string;
  readonly id: string;
}

/** What an operation gives; revisions are 0 for what the transaction itself wrote, -1 for what is not there. */
export type TxnResult =
  | { readonly type: 'kv'; readonly entry: KvEntry; readonly withValue: boolean }
  | { readonly type: 'node'; readonly node: Drafted<NodeRecord> }
  | { readonly type: 'service'; readonly node: string; readonly service: Drafted<InstanceRecord> }
  | {
      readonly type: 'check';
      readonly node: string;
      readonly check: Drafted<CheckRecord>;
      readonly service: InstanceRecord | undefined;
    };

/** Why an operation cannot be, in Consul's words. */
export interface TxnProblem {
  /** From 0. */
  readonly opIndex: number;
  readonly what: string;
}

/** How a transaction ended: what its operations gave, or every problem there was; then nothing was written. */
export type TxnOutcome =
  | { readonly ok: true; readonly revision: Revision; readonly results: readonly TxnResult[] }
  | { readonly ok: false; readonly problems: readonly TxnProblem[] };

const READS: ReadonlySet<string> = new Set([
  'get',
  'get-or-empty',
  'get-tree',
  'check-index',
  'check-session',
  'check-not-exists',
]);

/** Whether an operation changes nothing. */
export function isRead(op: TxnOp): boolean {
  return op.type !== 'none' && (op.type === 'kv' ? READS.has(op.verb) : op.verb === 'get');
}
