import type { Entry, Revision } from './contract.ts';
import { badRestore } from './errors.ts';

const LATIN1 = /^[\0-\u{ff}]+$/u;

/**
 * Refuses what no store could hold: keys that are not bytes or come twice, values that are not text, revisions that do not
 * lie between `current`, which was given out, and `revision`.
 *
 * @throws STORE_BAD_RESTORE
 */
export function checkRestore(entries: readonly Entry[], revision: Revision, current: Revision): void {
  if (!Number.isSafeInteger(revision) || revision <= current + 1)
    throw badRestore(`revision ${revision} does not lie above ${current}`);
  const keys = new Set<string>();
  for (const entry of entries) {
    checkEntry(entry, revision, current);
    if (keys.has(entry.key)) throw badRestore(`key ${quote(entry.key)} comes twice`);
    keys.add(entry.key);
  }
}

function checkEntry({ key, value, createRevision, modRevision }: Entry, revision: Revision, current: Revision): void {
  if (!LATIN1.test(key)) throw badRestore(`key ${quote(key)} is empty or holds more than bytes`);
  if (!value.isWellFormed()) throw badRestore(`the value of ${quote(key)} is not Unicode text`);
  const areWhole = Number.isSafeInteger(createRevision) && Number.isSafeInteger(modRevision);
  if (!areWhole || createRevision <= current || modRevision < createRevision || modRevision > revision)
    throw badRestore(`the revisions of ${quote(key)}, ${createRevision} and ${modRevision}, do not fit`);
}

function quote(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
}
