import type { Revision } from '../store/index.ts';
import type { KvDraft } from './kv-draft.ts';
import { PENDING } from './kv-draft.ts';
import type { KvEntry } from './kv-entry.ts';
import { badTxnOp } from './txn-problem.ts';
import { deleteKeyAt, lockKey, setKey, setKeyAt, unlockKey } from './kv-verbs.ts';
import type { LockOutcome } from './kv-verbs.ts';
import type { KvOp, TxnResult } from './txn-op.ts';

type Verb = (draft: KvDraft, op: KvOp) => readonly TxnResult[];

/** Each verb of a `KV` operation. */
const VERBS: Readonly<Record<string, Verb>> = {
  set: (draft, op) => without(setKey(draft, op)),
  cas: (draft, op) => {
    const entry = setKeyAt(draft, op, op.index);
    if (entry === undefined) throw badTxnOp(`failed to set key ${name(op)}, index is stale`);
    return without(entry);
  },
  delete: (draft, op) => nothing(draft.delete(op.key)),
  'delete-cas': (draft, op) => {
    if (!deleteKeyAt(draft, op.key, op.index)) throw badTxnOp(`failed to delete key ${name(op)}, index is stale`);
    return [];
  },
  'delete-tree': (draft, op) => nothing(draft.deleteTree(op.key)),
  lock: (draft, op) => without(entryOf(lockKey(draft, op, op.session), op)),
  unlock: (draft, op) => without(entryOf(unlockKey(draft, op, op.session), op)),
  get: (draft, op) => {
    const entry = draft.get(op.key);
    if (entry === undefined) throw badTxnOp(`key ${name(op)} doesn't exist`);
    return withValue(entry);
  },
  'get-or-empty': (draft, op) => withValue(draft.get(op.key) ?? emptyEntry(op.key)),
  'get-tree': (draft, op) => draft.list(op.key).flatMap(withValue),
  'check-index': (draft, op) => without(checkIndex(draft, op)),
  'check-session': (draft, op) => without(checkSession(draft, op)),
  'check-not-exists': (draft, op) => {
    if (draft.get(op.key) !== undefined) throw badTxnOp(`key ${name(op)} exists`);
    return [];
  },
};

/** Does one `KV` operation in a draft. @throws TxnOpError with Consul's words */
export function evaluateKv(draft: KvDraft, op: KvOp): readonly TxnResult[] {
  const verb = Object.hasOwn(VERBS, op.verb) ? VERBS[op.verb] : undefined;
  if (verb === undefined) throw badTxnOp(`unknown KV verb ${JSON.stringify(op.verb)}`);
  if (op.key === '' && !op.verb.endsWith('-tree')) throw badTxnOp('Must provide key');
  return verb(draft, op);
}

function checkIndex(draft: KvDraft, op: KvOp): KvEntry {
  const entry = draft.get(op.key);
  if (entry === undefined) throw badTxnOp(`failed to check index, key ${name(op)} doesn't exist`);
  if (entry.modRevision === op.index && op.index !== PENDING) return entry;
  throw badTxnOp(`failed index check for key ${name(op)}, current modify index ${entry.modRevision} != ${op.index}`);
}

function checkSession(draft: KvDraft, op: KvOp): KvEntry {
  const entry = draft.get(op.key);
  if (entry === undefined) throw badTxnOp(`failed to check session, key ${name(op)} doesn't exist`);
  const { session = '' } = entry;
  if (session === op.session) return entry;
  throw badTxnOp(
    `failed session check for key ${name(op)}, current session ${JSON.stringify(session)} != ${JSON.stringify(op.session)}`,
  );
}

function entryOf(outcome: LockOutcome, op: KvOp): KvEntry {
  if ('entry' in outcome) return outcome.entry;
  const texts: Readonly<Record<typeof outcome.refused, string>> = {
    'missing session': 'missing session',
    'unknown session': `invalid session ${JSON.stringify(op.session)}`,
    held: `failed to lock key ${name(op)}, lock is already held`,
    delayed: `failed to lock key ${name(op)} due to lock delay`,
    'not held': `failed to unlock key ${name(op)}, lock isn't held, or is held by another session`,
  };
  throw badTxnOp(texts[outcome.refused]);
}

/** The revisions of what is not there: `PENDING` is taken. */
export const ABSENT: Revision = -1;

function emptyEntry(key: string): KvEntry {
  return { key, value: Buffer.alloc(0), flags: '0', lockIndex: 0, createRevision: ABSENT, modRevision: ABSENT };
}

function withValue(entry: KvEntry): readonly TxnResult[] {
  return [{ type: 'kv', entry, withValue: true }];
}

function without(entry: KvEntry): readonly TxnResult[] {
  return [{ type: 'kv', entry, withValue: false }];
}

function nothing(_done: void): readonly TxnResult[] {
  return [];
}

function name({ key }: KvOp): string {
  return JSON.stringify(Buffer.from(key, 'latin1').toString('utf8'));
}
