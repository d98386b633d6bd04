import { usageError } from './errors.ts';

/**
 * The URL path of a key. Slashes are escaped as well: a part that is `.` or `..` would otherwise lead elsewhere.
 *
 * @throws CLI_USAGE for an empty key, and for one that no URL can carry
 */
export function kvPath(key: string): string {
  if (key === '') throw usageError('the key is empty');
  if (key === '.' || key === '..') throw usageError(`no URL can carry the key ${JSON.stringify(key)}`);
  return `/v1/kv/${encodeURIComponent(key)}`;
}
