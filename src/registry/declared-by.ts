import { hash } from 'node:crypto';
import { historyPut } from '../store/index.ts';
import type { Authored, HistoryKind, Put, Revision } from '../store/index.ts';

/** How a declaration is written: by whom, and over which state of it. */
export interface DeclareOptions extends Authored {
  /** Only while what is declared stands at this revision; 0: only while it is not there. Without it: whatever there is. */
  readonly expected?: Revision;
}

/** Who declares, for history; null where none is kept. */
export interface Declarer {
  readonly author: string;
  /** ISO time. */
  readonly at: string;
}

/** What a declaration was before it is changed; undefined: it was not there. */
export type Before = { readonly record: unknown; readonly modRevision: Revision } | undefined;

/** The write that leaves a change of a definition or datastore in history; nothing where none is kept. Pure. */
export function historyWrites(
  by: Declarer | null,
  kind: Extract<HistoryKind, 'def' | 'ds'>,
  key: string,
  before: Before,
  decidedAt: Revision,
): Put[] {
  if (by === null) return [];
  const subject = key.slice(kind.length + 1);
  const beforeRevision = before?.modRevision ?? 0;
  return [historyPut({ ...by, kind, subject, before: textOf(kind, before), beforeRevision }, decidedAt)];
}

/** Values of datastores are secrets: their hash says whether two are the same, and nothing else. */
function textOf(kind: HistoryKind, before: Before): string | null {
  if (before === undefined) return null;
  const text = JSON.stringify(before.record);
  return kind === 'ds' ? secretHash(text) : text;
}

/** What stands for a secret in history. */
export function secretHash(text: string): string {
  return `sha256:${hash('sha256', text)}`;
}
