import type { KvEntry } from '../../kv/index.ts';
import { textOfBytes } from './percent.ts';

/** Consul's entry; flags keep every digit, so the JSON is put together by hand. */
export function entryJson(entry: KvEntry): string {
  const { value } = entry;
  return entryText(entry, value.length === 0 ? 'null' : `"${value.toString('base64')}"`);
}

/** The same without its value, as transactions tell what they wrote. */
export function bareEntryJson(entry: KvEntry): string {
  return entryText(entry, 'null');
}

function entryText(entry: KvEntry, value: string): string {
  const { key, flags, lockIndex, session, createRevision, modRevision } = entry;
  const holder = session === undefined ? '' : `"Session":${JSON.stringify(session)},`;
  return `{"LockIndex":${lockIndex},"Key":${JSON.stringify(textOfBytes(key))},"Flags":${flags},"Value":${value},${holder}"CreateIndex":${createRevision},"ModifyIndex":${modRevision}}`;
}
