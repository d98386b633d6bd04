export * from './errors.ts';
export { decodeEntry, type KvEntry, parseFlags, valueOfEntry } from './kv-entry.ts';
export { checkPrefix, kvPrefixTopic, kvTopic } from './kv-keys.ts';
export {
  type DeleteOptions,
  KvWrites,
  type KvWritesOptions,
  type LockOptions,
  MAX_VALUE_BYTES,
  type PutOptions,
  type Written,
} from './kv-writes.ts';
export { Kv, type KvOptions } from './kv.ts';
export { SERF_HEALTH } from './session-health.ts';
export type { SessionInput } from './session-input.ts';
export { sessionKey, sessionTopic } from './session-keys.ts';
export type { Session, SessionBehavior, SessionRecord, SessionServiceCheck } from './session-record.ts';
export type { Renewal } from './session-ttls.ts';
export { SESSION_TTL_MIN_MS, SessionWrites, type SessionWritesOptions } from './session-writes.ts';
export { sessionCompare, Sessions, type SessionsOptions } from './sessions.ts';
export { Transactions, type TransactionsOptions } from './transactions.ts';
export {
  isRead,
  type CheckOp,
  type KvOp,
  type TxnOp,
  type TxnOutcome,
  type TxnProblem,
  type TxnResult,
} from './txn-op.ts';
