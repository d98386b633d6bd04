import { KeyedQueue } from '../lib/index.ts';
import { contended } from '../registry/index.ts';
import type { Feed } from '../registry/index.ts';
import { prefixRange } from '../store/index.ts';
import type { Revision, Txn } from '../store/index.ts';
import { valueTooLarge } from './errors.ts';
import { encodeEntry, parseFlags } from './kv-entry.ts';
import { checkKey, checkPrefix, displayKey, ENTRY_FAMILY, kvTopic, TOMB_FAMILY, TREE_TOMB_FAMILY } from './kv-keys.ts';
import type { Kv } from './kv.ts';

/** Consul's default: 512 KiB. */
export const MAX_VALUE_BYTES = 524_288;

const ATTEMPTS = 64;

export interface KvWritesOptions {
  readonly feed: Feed;
  readonly kv: Kv;
  /** `MAX_VALUE_BYTES` unless told. */
  readonly maxValueBytes?: number;
}

export interface PutOptions {
  /** 64 bits without sign; 0 unless told: they are overwritten with each put. */
  readonly flags?: bigint | string;
  /** Only while the key has this modification revision; 0 = only while it does not exist. */
  readonly cas?: Revision;
}

/** How a write ended. `ok` is false when its condition does not hold: nothing was written. */
export interface Written {
  readonly ok: boolean;
  /** A revision at which this is so, applied on this server. */
  readonly revision: Revision;
}

/** What a write decides for the present state: a transaction, or its end without one. */
type Decision = Txn | { readonly ok: boolean };

/** Writes keys. Each write resolves when this server has applied it. */
export class KvWrites {
  readonly #feed: Feed;
  readonly #kv: Kv;
  readonly #maxValueBytes: number;
  readonly #queue = new KeyedQueue();

  constructor(options: KvWritesOptions) {
    this.#feed = options.feed;
    this.#kv = options.kv;
    this.#maxValueBytes = options.maxValueBytes ?? MAX_VALUE_BYTES;
  }

  /**
   * Sets a key; its lock, if it has one, stays. The value and flags it has already are not written again.
   *
   * @throws KV_BAD_KEY, KV_BAD_FLAGS, KV_VALUE_TOO_LARGE
   */
  async put(key: string, value: Uint8Array, options: PutOptions = {}): Promise<Written> {
    checkKey(key);
    const flags = parseFlags(options.flags ?? '0');
    if (value.byteLength > this.#maxValueBytes) throw valueTooLarge(value.byteLength, this.#maxValueBytes);
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return this.#write(key, () => this.#decidePut(key, bytes, flags, options.cas));
  }

  /** Deletes a key; one that is not there is gone already. `cas` as for `put`. @throws KV_BAD_KEY */
  async delete(key: string, options: Pick<PutOptions, 'cas'> = {}): Promise<Written> {
    checkKey(key);
    return this.#write(key, () => this.#decideDelete(key, options.cas));
  }

  /** Deletes every key that begins with `prefix`, in one revision; the empty prefix is every key. @throws KV_BAD_KEY */
  async deleteTree(prefix: string): Promise<Written> {
    checkPrefix(prefix);
    return this.#write(prefix, () => {
      if (this.#kv.keys(prefix).length === 0) return { ok: true };
      const range = prefixRange(ENTRY_FAMILY + prefix);
      return { compares: [], writes: [{ type: 'delete-range', range }, tombstone(TREE_TOMB_FAMILY + prefix)] };
    });
  }

  #decidePut(key: string, value: Buffer, flags: string, cas: Revision | undefined): Decision {
    const known = this.#kv.get(key);
    const modRevision = known?.modRevision ?? 0;
    if (cas !== undefined && cas !== modRevision) return { ok: false };
    if (known !== undefined && known.flags === flags && known.value.equals(value)) return { ok: true };
    const lock = {
      lockIndex: known?.lockIndex ?? 0,
      ...(known?.session === undefined ? {} : { session: known.session }),
    };
    const entry = encodeEntry({ value, flags, ...lock });
    return {
      // Also without `cas`: the lock that is kept must be the one there is.
      compares: [{ key: kvTopic(key), modRevision }],
      writes: [{ type: 'put', key: kvTopic(key), value: entry }],
    };
  }

  #decideDelete(key: string, cas: Revision | undefined): Decision {
    const known = this.#kv.get(key);
    if (known === undefined) return { ok: true };
    if (cas !== undefined && cas !== known.modRevision) return { ok: false };
    return {
      compares: [{ key: kvTopic(key), modRevision: known.modRevision }],
      writes: [{ type: 'delete', key: kvTopic(key) }, tombstone(TOMB_FAMILY + key)],
    };
  }

  /** Decides again with what caused a conflict. */
  #write(key: string, decide: () => Decision): Promise<Written> {
    return this.#queue.run(key, async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const decision = decide();
        if ('ok' in decision) return { ok: decision.ok, revision: this.#feed.revision };
        const { ok, revision } = await this.#feed.commit(decision);
        if (ok) return { ok, revision };
        await this.#feed.applied(revision);
      }
      throw contended(`key "${displayKey(key)}"`, ATTEMPTS);
    });
  }
}

function tombstone(key: string): Txn['writes'][number] {
  return { type: 'put', key, value: '{}' };
}
