import type { Entry, Revision } from '../store/index.ts';
import { badFlags } from './errors.ts';
import { ENTRY_FAMILY } from './kv-keys.ts';

/** One key's value. Entries are never changed but replaced. */
export interface KvEntry {
  /** Raw bytes as latin1 text. */
  readonly key: string;
  /** Do not change it. */
  readonly value: Buffer;
  /** 64 bits without sign, every digit. */
  readonly flags: string;
  /** How often the key was locked. */
  readonly lockIndex: number;
  /** Who holds the lock. */
  readonly session?: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/** What the store holds of an entry: JSON, so that it can be read with the store's own tools. */
interface KvRecord {
  readonly flags: string;
  readonly lockIndex: number;
  readonly session?: string;
  /** Base64. */
  readonly value: string;
}

const MAX_FLAGS = 2n ** 64n - 1n;

/** The store's value of an entry. */
export function encodeEntry({
  flags,
  lockIndex,
  session,
  value,
}: Omit<KvEntry, 'key' | 'createRevision' | 'modRevision'>): string {
  const record: KvRecord = {
    flags,
    lockIndex,
    ...(session === undefined ? {} : { session }),
    value: value.toString('base64'),
  };
  return JSON.stringify(record);
}

/** Value, flags and lock of an entry's stored text, such as history keeps. @throws as `decodeEntry` */
export function valueOfEntry(stored: string): Pick<KvEntry, 'value' | 'flags' | 'lockIndex' | 'session'> {
  const { value, ...rest } = JSON.parse(stored) as KvRecord;
  return { ...rest, value: Buffer.from(value, 'base64') };
}

/** @throws SyntaxError or TypeError when the entry is not of drover's making */
export function decodeEntry({ key, value, createRevision, modRevision }: Entry): KvEntry {
  const record = JSON.parse(value) as KvRecord;
  return {
    key: key.slice(ENTRY_FAMILY.length),
    value: Buffer.from(record.value, 'base64'),
    flags: record.flags,
    lockIndex: record.lockIndex,
    ...(record.session === undefined ? {} : { session: record.session }),
    createRevision,
    modRevision,
  };
}

/** Flags as text without leading zeros. @throws KV_BAD_FLAGS */
export function parseFlags(flags: bigint | string): string {
  if (typeof flags === 'string' && !/^\d{1,20}$/.test(flags)) throw badFlags(flags);
  const number = BigInt(flags);
  if (number < 0n || number > MAX_FLAGS) throw badFlags(String(flags));
  return String(number);
}
