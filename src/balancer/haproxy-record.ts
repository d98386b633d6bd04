import type { ProcessIdentity } from '../lib/index.ts';

/** What is written down of a HAProxy that runs, for the process that comes after this one. */
export interface HaproxyRecord {
  readonly identity: ProcessIdentity;
  /** null while a start or a reload is under way: what runs is not known. */
  readonly structure: string | null;
  readonly endpoints: readonly string[];
}

/** Reads a record back. @throws TypeError on anything else */
export function parseRecord(value: unknown): HaproxyRecord {
  const { identity, structure, endpoints } = value as HaproxyRecord;
  const { pid, startTicks, boot } = identity;
  if (!Number.isInteger(pid) || !Number.isInteger(startTicks) || typeof boot !== 'string') {
    throw new TypeError('not the identity of a process');
  }
  if (structure !== null && typeof structure !== 'string') throw new TypeError('not a structure');
  if (!Array.isArray(endpoints)) throw new TypeError('not a list of endpoints');
  return { identity: { pid, startTicks, boot }, structure, endpoints: endpoints.map(String) };
}
