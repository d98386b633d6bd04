/** Lists that add up; any other list is replaced by a later file's, as a scalar is. */
const ADDING_UP: ReadonlySet<string> = new Set(['runs', 'retry_join', 'start_join', 'recursors']);

/**
 * One value from several of the same shape, in order: a later scalar wins, maps are merged key by key, lists of
 * `ADDING_UP` add up without repetition. Pure.
 *
 * @example
 * mergeInputs([{ ports: { http: 1 } }, { ports: { dns: 2 } }]); // { ports: { http: 1, dns: 2 } }
 */
export function mergeInputs<T extends object>(inputs: readonly T[]): Partial<T> {
  return inputs.reduce<Partial<T>>((merged, input) => mergeMaps(merged, input) as Partial<T>, {});
}

function mergeMaps(one: object, other: object): object {
  // Not by assignment: a key may be called `__proto__`.
  const merged = new Map<string, unknown>(Object.entries(one));
  for (const [key, value] of Object.entries(other)) {
    if (value !== undefined) merged.set(key, mergeValues(key, merged.get(key), value));
  }
  return Object.fromEntries(merged);
}

function mergeValues(key: string, before: unknown, value: unknown): unknown {
  if (isMap(before) && isMap(value)) return mergeMaps(before, value);
  if (ADDING_UP.has(key) && Array.isArray(before) && Array.isArray(value)) return [...new Set([...before, ...value])];
  return value;
}

function isMap(value: unknown): value is object {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
