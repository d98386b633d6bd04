import type { Revision, Txn, Write } from '../store/index.ts';
import type { DraftHistory } from './draft-txn.ts';
import { KvDraft } from './kv-draft.ts';
import type { DraftBase } from './kv-draft.ts';
import type { Session } from './session-record.ts';

/** Of a transaction's 128 writes a key takes up to five, the end of the session four more. */
const KEYS_PER_TXN = 20;
const OTHERS_PER_TXN = 20;

/**
 * The next transaction of a session's end. A session with few locks ends in one. One with more is first marked as ending, so
 * that nothing can be locked with it any more; then its locks go some at a time, and the last ones together with it.
 * `others` are writes that go with its end.
 */
export function planEnd(
  base: DraftBase & { readonly revision: Revision },
  session: Session,
  others: readonly Write[],
  history: DraftHistory | undefined,
): Txn {
  const draft = new KvDraft(base);
  const locked = base.sessions.locked(session.id);
  const isLast = locked.length <= KEYS_PER_TXN && others.length <= OTHERS_PER_TXN;
  if (isLast) draft.endSession(session);
  else if (session.isEnding !== true) {
    const { createRevision: _created, modRevision: _modified, ...record } = session;
    draft.putSession({ ...record, isEnding: true });
    return draft.toTxn(undefined);
  } else {
    draft.session(session.id);
    draft.releaseLocks(session, locked.slice(0, KEYS_PER_TXN));
  }
  const txn = draft.toTxn(history);
  return { ...txn, writes: [...txn.writes, ...others.slice(0, OTHERS_PER_TXN)] };
}
