import type { Revision } from '../store/index.ts';
import type { KvDraft } from './kv-draft.ts';
import type { KvEntry } from './kv-entry.ts';

/** A value to be set. */
export interface NewValue {
  readonly key: string;
  readonly value: Buffer;
  /** As of `parseFlags`. */
  readonly flags: string;
}

/** Why a lock is not taken or given back. */
export type LockRefusal = 'missing session' | 'unknown session' | 'held' | 'delayed' | 'not held';

/** How a lock ended: the entry as it is then, or why nothing was done. */
export type LockOutcome = { readonly entry: KvEntry } | { readonly refused: LockRefusal };

/** Sets a key; its lock stays. What is so already is left as it is. */
export function setKey(draft: KvDraft, { key, value, flags }: NewValue): KvEntry {
  const known = draft.get(key);
  if (known !== undefined && known.flags === flags && known.value.equals(value)) return known;
  return draft.put({ ...(known ?? { lockIndex: 0 }), key, value, flags });
}

/** Sets a key while it has this revision, 0 being "not there"; undefined when it has not. */
export function setKeyAt(draft: KvDraft, value: NewValue, revision: Revision): KvEntry | undefined {
  const known = draft.get(value.key);
  const isSo = known === undefined ? revision === 0 : revision !== 0 && known.modRevision === revision;
  return isSo ? setKey(draft, value) : undefined;
}

/** Deletes a key while it has this revision; one that is not there is gone already. False when it has another. */
export function deleteKeyAt(draft: KvDraft, key: string, revision: Revision): boolean {
  const known = draft.get(key);
  if (known === undefined) return true;
  if (revision === 0 || known.modRevision !== revision) return false;
  draft.delete(key);
  return true;
}

/** Takes the lock of a key for a session and sets its value; who holds it already sets the value and keeps it. */
export function lockKey(draft: KvDraft, { key, value, flags }: NewValue, sessionId: string): LockOutcome {
  if (sessionId === '') return { refused: 'missing session' };
  if (draft.session(sessionId) === undefined) return { refused: 'unknown session' };
  const known = draft.get(key);
  if (known?.session === sessionId) return { entry: setKey(draft, { key, value, flags }) };
  if (known?.session !== undefined) return { refused: 'held' };
  if (draft.isDelayed(key)) return { refused: 'delayed' };
  return { entry: draft.put({ key, value, flags, lockIndex: (known?.lockIndex ?? 0) + 1, session: sessionId }) };
}

/** Gives the lock of a key back and sets its value. */
export function unlockKey(draft: KvDraft, { key, value, flags }: NewValue, sessionId: string): LockOutcome {
  if (sessionId === '') return { refused: 'missing session' };
  const known = draft.get(key);
  if (known?.session !== sessionId) return { refused: 'not held' };
  return { entry: draft.put({ key, value, flags, lockIndex: known.lockIndex }) };
}
