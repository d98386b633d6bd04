import type { KeyRange } from '../contract.ts';
import { prefixRange } from '../contract.ts';

/** Everything of drover's in an etcd lies under it. */
export const ROOT = '/drover/';
/** The pointer: which layout and generation hold, and at which revision they began. */
export const META_KEY = '/drover/meta';
/** The layout that this version writes and knows. */
export const LAYOUT = 1;

/** A range as etcd wants it. */
export interface RawRange {
  readonly key: Uint8Array;
  readonly rangeEnd: Uint8Array;
}

/** Where the keys of a generation lie: `/drover/1/` of the first, `/drover/1.3/` of the third that replaced it. */
export function prefixOf(generation: number): string {
  return `${stemOf(generation)}/`;
}

/** Held by whoever fills a generation, until it is the one that holds. */
export function claimKey(generation: number): string {
  return `${stemOf(generation)}-claim`;
}

/** Where the revisions lie that the entries of a generation came with. */
export function originsPrefix(generation: number): string {
  return `${stemOf(generation)}-origins/`;
}

/** The generation that a key below `/drover/` belongs to; null for a key that is nobody's. */
export function generationOf(key: string): number | null {
  const [, number] = /^\/drover\/1(?:\.([1-9]\d{0,8}))?(?:\/|-claim$|-origins\/)/s.exec(key) ?? [];
  if (number !== undefined) return Number(number);
  return key.startsWith(prefixOf(0)) ? 0 : null;
}

/** A key's bytes: keys are latin1 strings. */
export function bytesOf(key: string): Buffer<ArrayBuffer> {
  return Buffer.from(key, 'latin1');
}

/** A key from its bytes. */
export function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** Text from the bytes of a value. */
export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** A range of our keys below `prefix`; null for one that holds no key at all. */
export function rawRange(range: KeyRange, prefix = ''): RawRange | null {
  const [start, end] = [boundOf(prefix, range.start), boundOf(prefix, range.end)];
  return start < end ? { key: bytesOf(start), rangeEnd: bytesOf(end) } : null;
}

/** All keys with a prefix. */
export function rawPrefix(prefix: string): RawRange {
  const { start, end } = prefixRange(prefix);
  return { key: bytesOf(start), rangeEnd: bytesOf(end) };
}

/** Bounds may hold a character above every byte, as the end of all keys does: it stands behind all that begin so. */
function boundOf(prefix: string, bound: string): string {
  const beyond = /[^\0-\u{ff}]/u.exec(bound);
  return beyond === null ? prefix + bound : prefixRange(prefix + bound.slice(0, beyond.index)).end;
}

function stemOf(generation: number): string {
  return generation === 0 ? '/drover/1' : `/drover/1.${generation}`;
}
