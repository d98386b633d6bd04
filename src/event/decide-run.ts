import { digest } from '../lib/index.ts';
import type { ApiAnswer } from './ask.ts';
import type { WireEvent } from './user-event.ts';
import type { WatchType } from './watch.ts';

/** What a watch has handed over already; on disk, so that neither a restart nor a reload hands it over again. */
export interface WatchState {
  /** Digest of the content that the handler has run for; null before the first time. */
  readonly hash: string | null;
  /** Events up to this revision are done; null before the first answer. */
  readonly cursor: number | null;
}

export const NOTHING_HANDED_OVER: WatchState = Object.freeze({ hash: null, cursor: null });

/** What an answer leads to. */
export interface RunDecision {
  /** What the handler is to be given; null: it has that already. */
  readonly input: { readonly value: unknown } | null;
  /** The state once it has. */
  readonly after: WatchState;
}

/** Whether a handler runs for an answer, and with what. Pure. @throws SyntaxError for an answer that is not JSON */
export function decideRun(type: WatchType, state: WatchState, answer: ApiAnswer): RunDecision {
  const value = contentOf(type, answer);
  if (type === 'event') return decideEvents(state, value as readonly WireEvent[], answer.revision);
  const hash = digest(withoutIndexes(value));
  return { input: hash === state.hash ? null : { value }, after: { ...state, hash } };
}

/** What is left of a state when the first answer comes: a region that stands before its cursor is another one. Pure. */
export function stateFor(state: WatchState, { revision }: ApiAnswer): WatchState {
  const isOther = revision !== null && state.cursor !== null && revision < state.cursor;
  return isOther ? { ...state, cursor: null } : state;
}

/** What Consul gives a handler: one object or null for a key, `[]` for a prefix without keys, else the answer itself. */
export function contentOf(type: WatchType, { status, body }: ApiAnswer): unknown {
  if (status === 404) return type === 'key' ? null : [];
  const value: unknown = JSON.parse(body);
  return type === 'key' ? ((value as readonly unknown[])[0] ?? null) : value;
}

function decideEvents(state: WatchState, events: readonly WireEvent[], revision: number | null): RunDecision {
  const last = events.at(-1)?.LTime ?? 0;
  // What was fired before there was this watch is not for it.
  if (state.cursor === null) return { input: null, after: { ...state, cursor: Math.max(revision ?? 0, last) } };
  const { cursor } = state;
  const fresh = events.filter((event) => event.LTime > cursor);
  if (fresh.length === 0) return { input: null, after: state };
  return { input: { value: fresh }, after: { ...state, cursor: last } };
}

const INDEXES = new Set(['CreateIndex', 'ModifyIndex', 'LockIndex']);

/** An index that rose while all else is as before is no change of the input. */
function withoutIndexes(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(withoutIndexes);
  const kept = Object.entries(value).filter(([key, inner]) => !(INDEXES.has(key) && typeof inner === 'number'));
  return kept.map(([key, inner]) => [key, withoutIndexes(inner)]);
}
