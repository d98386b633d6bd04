export * from './errors.ts';
export type { KvEntry } from './kv-entry.ts';
export { kvPrefixTopic, kvTopic } from './kv-keys.ts';
export { KvWrites, type KvWritesOptions, MAX_VALUE_BYTES, type PutOptions, type Written } from './kv-writes.ts';
export { Kv, type KvOptions } from './kv.ts';
