/**
 * How many keys each family has: what stands before the first slash of `kv/a/b`. By name, in order.
 *
 * @example
 * countFamilies(['kv/a', 'kv/b', 'node/x']); // { kv: 2, node: 1 }
 */
export function countFamilies(keys: Iterable<string>): Record<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const end = key.indexOf('/');
    const family = end < 0 ? key : key.slice(0, end);
    counts.set(family, (counts.get(family) ?? 0) + 1);
  }
  return Object.fromEntries([...counts].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
