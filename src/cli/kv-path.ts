/** The URL path of a key: slashes separate, everything else is escaped. */
export function kvPath(key: string): string {
  return `/v1/kv/${key.split('/').map(encodeURIComponent).join('/')}`;
}
