import { createHash } from 'node:crypto';
import type { Entry } from './contract.ts';

/** Entries that are digested in one turn of the event loop. */
const A_TURN = 2000;

/**
 * SHA-256 of all entries with their revisions, in order, in hex: equal for stores with the same state. In turns, so that others have
 * the loop.
 */
export async function digestEntries(entries: readonly Entry[]): Promise<string> {
  const hash = createHash('sha256');
  for (let start = 0; start < entries.length; start += A_TURN) {
    for (const { key, createRevision, modRevision, value } of entries.slice(start, start + A_TURN))
      hash.update(`${JSON.stringify([key, createRevision, modRevision, value])}\n`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return hash.digest('hex');
}

/** The first difference in words; null when both have the same entries, with the same revisions, in the same order. */
export function findDifference(expected: readonly Entry[], found: readonly Entry[]): string | null {
  for (const [at, one] of expected.entries()) {
    const other = found[at];
    if (other === undefined) return `${quote(one.key)} is missing`;
    if (other.key !== one.key) return `${quote(other.key)} stands where ${quote(one.key)} should`;
    if (other.value !== one.value) return `the value of ${quote(one.key)} is another`;
    if (other.createRevision !== one.createRevision || other.modRevision !== one.modRevision)
      return `${quote(one.key)} has revisions ${other.createRevision} and ${other.modRevision}, not ${one.createRevision} and ${one.modRevision}`;
  }
  const extra = found[expected.length];
  return extra === undefined ? null : `${quote(extra.key)} is too many`;
}

function quote(key: string): string {
  return JSON.stringify(key.length > 80 ? `${key.slice(0, 80)}…` : key);
}
