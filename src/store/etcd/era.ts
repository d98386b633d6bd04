import type { Entry, Revision, StoreEvent } from '../contract.ts';
import type { KeyValue, Event } from './generated/kv_pb.ts';
import { Event_EventType } from './generated/kv_pb.ts';
import { keyOf, prefixOf, textOf } from './keys.ts';
import type { Pointer } from './meta.ts';

/** The revisions that an entry came with when the generation was made. */
export interface Origin {
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

/**
 * How etcd's keys and revisions are to be read while one pointer holds: where ours lie, what is added to a revision, and which
 * revisions restored entries came with. All of it changes with the pointer, and with nothing else.
 */
export class Era {
  readonly pointer: Pointer;
  readonly prefix: string;
  readonly origins: ReadonlyMap<string, Origin>;
  readonly #base: number;

  constructor(pointer: Pointer, origins: ReadonlyMap<string, Origin>) {
    this.pointer = pointer;
    this.prefix = prefixOf(pointer.generation);
    this.origins = origins;
    this.#base = pointer.revision - pointer.flip;
  }

  /** drover's revision of one of etcd's, from the pointer on. */
  revision(raw: number | bigint): Revision {
    return Number(raw) + this.#base;
  }

  /** etcd's revision of one of drover's; those from before the pointer have none here and give at most the pointer's own. */
  rawRevision(revision: Revision): number {
    return Math.max(0, revision - this.#base);
  }

  /** An entry of this generation, `key` without its prefix. */
  entry(kv: KeyValue, keysOnly = false): Entry {
    const key = keyOf(kv.key.subarray(this.prefix.length));
    const value = keysOnly ? '' : textOf(kv.value);
    const origin = kv.createRevision <= this.pointer.flip ? this.origins.get(key) : undefined;
    const createRevision = origin?.createRevision ?? this.revision(kv.createRevision);
    const isUntouched = origin !== undefined && kv.modRevision <= this.pointer.flip;
    return {
      key,
      value,
      createRevision,
      modRevision: isUntouched ? origin.modRevision : this.revision(kv.modRevision),
    };
  }

  /** What an event of etcd's means; undefined when its key is not of this generation. */
  event({ type, kv }: Event): StoreEvent | undefined {
    if (kv === undefined || !this.#holds(kv.key)) return undefined;
    if (type === Event_EventType.PUT) return { type: 'put', entry: this.entry(kv) };
    return { type: 'delete', key: keyOf(kv.key.subarray(this.prefix.length)) };
  }

  #holds(key: Uint8Array): boolean {
    if (key.length <= this.prefix.length) return false;
    for (let index = 0; index < this.prefix.length; index++)
      if (key[index] !== this.prefix.charCodeAt(index)) return false;
    return true;
  }
}
