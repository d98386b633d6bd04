import type { Revision } from '../contract.ts';
import { storeForeignData, storeNewerLayout } from '../errors.ts';
import type { KeyValue } from './generated/kv_pb.ts';
import { LAYOUT, META_KEY, textOf } from './keys.ts';

/** What the pointer says. */
export interface Meta {
  readonly layout: number;
  readonly generation: number;
  /** drover's revision of the transaction that wrote the pointer; those after it count on from there, as etcd's do. */
  readonly revision: Revision;
}

/** The pointer, with etcd's revision of it: what every write compares. */
export interface Pointer extends Meta {
  readonly flip: number;
}

/** What is stored under `/drover/meta`. */
export function formatMeta({ layout, generation, revision }: Meta): Uint8Array {
  return Buffer.from(JSON.stringify({ layout, generation, revision }));
}

/** @throws STORE_NEWER_LAYOUT, STORE_FOREIGN_DATA */
export function parseMeta(kv: KeyValue): Pointer {
  const meta = parsed(textOf(kv.value));
  if (isCount(meta?.layout) && meta.layout > LAYOUT) throw storeNewerLayout(meta.layout, LAYOUT);
  if (meta === null || meta.layout !== LAYOUT || !isCount(meta.generation) || !isCount(meta.revision))
    throw storeForeignData(META_KEY, 'it is not the pointer of a drover store');
  return { layout: LAYOUT, generation: meta.generation, revision: meta.revision, flip: Number(kv.modRevision) };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function parsed(text: string): { [Key in keyof Meta]?: unknown } | null {
  try {
    const value = JSON.parse(text) as unknown;
    return typeof value === 'object' && value !== null ? value : null;
  } catch {
    return null;
  }
}
