import { crc32 } from 'node:zlib';

/** A row of the table `kv`, as `select ${ROW_COLUMNS}` gives it in an array. */
export type Row = readonly [
  key: string,
  created: number,
  mod: number,
  lease: number | null,
  sum: number,
  value: string,
];

export const ROW_COLUMNS = 'k, created, mod, lease, sum, v';

/** SQLite keeps no checksums of pages, so each row has one of its own: a flipped bit is an error, not another value. */
export function rowSum(key: string, value: string, created: number, mod: number, lease: number | null): number {
  return crc32(value, crc32(key, seedOf(created, mod, lease ?? 0)));
}

/** The key of a row whose content is not what was written; undefined when all is well. */
export function damagedKey(row: Row): string | undefined {
  const [key, created, mod, lease, sum, value] = row;
  return rowSum(key, value, created, mod, lease) === sum ? undefined : key;
}

/** The same for the numbers in the table `meta`. */
export function metaSum(name: string, value: number): number {
  return crc32(`${name}=${value}`);
}

// Odd multipliers keep a difference in one number from hiding behind the same difference in another.
function seedOf(created: number, mod: number, lease: number): number {
  return (fold(mod) ^ Math.imul(fold(created), 0x9e3779b1) ^ Math.imul(fold(lease), 0x85ebca6b)) >>> 0;
}

function fold(number: number): number {
  return number ^ Math.imul(Math.floor(number / 2 ** 32), 0xc2b2ae35);
}
