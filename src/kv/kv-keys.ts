import { topicPrefix } from '../registry/index.ts';
import { badKey } from './errors.ts';

export const ENTRY_FAMILY = 'kv/';
export const TOMB_FAMILY = 'kvt/';
export const TREE_TOMB_FAMILY = 'kvtree/';
export const KV_FAMILIES = [ENTRY_FAMILY, TOMB_FAMILY, TREE_TOMB_FAMILY, 'floor/'] as const;

const NOT_BYTES = /[^\0-\u{ff}]/u;
/** The store's own keys have to stay within what etcd takes in one request. */
const MAX_KEY_LENGTH = 8_192;

/** The topic of one key: keys are raw bytes as latin1 text. */
export const kvTopic = (key: string): string => ENTRY_FAMILY + key;

/** The topic of everything under a prefix; the empty prefix is every key. */
export const kvPrefixTopic = (prefix: string): string => topicPrefix(ENTRY_FAMILY + prefix);

/** @throws KV_BAD_KEY for an empty key, one that is too long or not bytes, or one with a `..` path segment */
export function checkKey(key: string): void {
  if (key === '') throw badKey('it is empty');
  checkPrefix(key);
}

/** @throws KV_BAD_KEY as `checkKey`, but the empty prefix is every key */
export function checkPrefix(prefix: string): void {
  if (prefix.length > MAX_KEY_LENGTH) throw badKey(`it has ${prefix.length} bytes, at most ${MAX_KEY_LENGTH}`);
  if (NOT_BYTES.test(prefix)) throw badKey('its characters are not bytes');
  if (prefix.split('/').includes('..')) throw badKey('it has a ".." segment');
}

/** A key for people: its bytes as UTF-8, shortened. */
export function displayKey(key: string): string {
  const text = Buffer.from(key, 'latin1').toString('utf8');
  return text.length > 120 ? `${text.slice(0, 120)}…` : text;
}
