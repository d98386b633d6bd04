import { KeyedQueue, systemClock } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { contended } from '../registry/index.ts';
import type { Feed } from '../registry/index.ts';
import type { Authored, Revision } from '../store/index.ts';
import type { DraftHistory } from './draft-txn.ts';
import { invalidSession, missingSession, valueTooLarge } from './errors.ts';
import { KvDraft } from './kv-draft.ts';
import { parseFlags } from './kv-entry.ts';
import { checkKey, checkPrefix, displayKey } from './kv-keys.ts';
import { deleteKeyAt, lockKey, setKey, setKeyAt, unlockKey } from './kv-verbs.ts';
import type { LockOutcome, NewValue } from './kv-verbs.ts';
import type { Kv } from './kv.ts';
import { Sessions } from './sessions.ts';

/** Consul's default: 512 KiB. */
export const MAX_VALUE_BYTES = 524_288;

const ATTEMPTS = 64;
/** So often a recursive delete insists on knowing all that it takes. */
const EXACT_ATTEMPTS = 4;

export interface KvWritesOptions {
  readonly feed: Feed;
  readonly kv: Kv;
  /** Nothing can be locked unless given. */
  readonly sessions?: Sessions;
  readonly clock?: Clock;
  /** `kv_max_value_size`; `MAX_VALUE_BYTES` unless told. */
  readonly maxValueBytes?: number;
  /** Whether changes leave records of history; they do unless told. */
  readonly history?: boolean;
  /** Whether others write the store too, so that memory may be behind it; false unless told. */
  readonly lags?: boolean;
}

export interface PutOptions extends Authored {
  /** 64 bits without sign; 0 unless told: they are overwritten with each put. */
  readonly flags?: bigint | string;
  /** Only while the key has this modification revision; 0 = only while it does not exist. */
  readonly cas?: Revision;
}

export interface LockOptions extends Authored {
  readonly flags?: bigint | string;
}

export interface DeleteOptions extends Authored {
  /** As for `put`. */
  readonly cas?: Revision;
}

/** How a write ended. `ok` is false when its condition does not hold: nothing was written. */
export interface Written {
  readonly ok: boolean;
  /** A revision at which this is so, applied on this server. */
  readonly revision: Revision;
}

/** Makes a draft what it should be; false when its condition does not hold. */
type Decide = (draft: KvDraft) => boolean;

/** Writes keys. Each write resolves when this server has applied it. */
export class KvWrites {
  /** Most bytes of a value. */
  readonly maxValueBytes: number;
  readonly #feed: Feed;
  readonly #kv: Kv;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #history: boolean;
  readonly #lags: boolean;
  readonly #queue = new KeyedQueue();
  /** The time of the last record of history: many are of the same millisecond. */
  #last = { wallMs: Number.NaN, text: '' };

  constructor(options: KvWritesOptions) {
    this.#feed = options.feed;
    this.#kv = options.kv;
    this.#clock = options.clock ?? systemClock;
    this.#sessions = options.sessions ?? new Sessions({ clock: this.#clock });
    this.maxValueBytes = options.maxValueBytes ?? MAX_VALUE_BYTES;
    this.#history = options.history ?? true;
    this.#lags = options.lags ?? false;
  }

  /**
   * Sets a key; its lock, if it has one, stays. The value and flags it has already are not written again.
   *
   * @throws KV_BAD_KEY, KV_BAD_FLAGS, KV_VALUE_TOO_LARGE
   */
  async put(key: string, value: Uint8Array, options: PutOptions = {}): Promise<Written> {
    const given = this.#valueOf(key, value, options);
    const { cas } = options;
    return this.#write(key, options, (draft) => {
      if (cas !== undefined) return setKeyAt(draft, given, cas) !== undefined;
      setKey(draft, given);
      return true;
    });
  }

  /**
   * Takes the lock of a key for a session and sets its value; `ok` is false when another holds it, or when its last holder
   * ended so shortly ago that the lock-delay still runs.
   *
   * @throws KV_INVALID_SESSION, KV_MISSING_SESSION, and what `put` throws
   */
  async acquire(key: string, value: Uint8Array, sessionId: string, options: LockOptions = {}): Promise<Written> {
    const given = this.#valueOf(key, value, options);
    return this.#write(key, options, (draft) => isDone(lockKey(draft, given, sessionId), sessionId));
  }

  /** Gives the lock back and sets the value; `ok` is false when the session does not hold it. @throws as `acquire` */
  async release(key: string, value: Uint8Array, sessionId: string, options: LockOptions = {}): Promise<Written> {
    const given = this.#valueOf(key, value, options);
    return this.#write(key, options, (draft) => isDone(unlockKey(draft, given, sessionId), sessionId));
  }

  /** Deletes a key; one that is not there is gone already. @throws KV_BAD_KEY */
  async delete(key: string, options: DeleteOptions = {}): Promise<Written> {
    checkKey(key);
    const { cas } = options;
    return this.#write(key, options, (draft) => {
      if (cas !== undefined) return deleteKeyAt(draft, key, cas);
      draft.delete(key);
      return true;
    });
  }

  /** Deletes every key that begins with `prefix`, in one revision; the empty prefix is every key. @throws KV_BAD_KEY */
  async deleteTree(prefix: string, options: Authored = {}): Promise<Written> {
    checkPrefix(prefix);
    return this.#write(prefix, options, (draft) => {
      draft.deleteTree(prefix);
      return true;
    });
  }

  #valueOf(key: string, value: Uint8Array, { flags = '0' }: LockOptions): NewValue & { readonly value: Buffer } {
    checkKey(key);
    if (value.byteLength > this.maxValueBytes) throw valueTooLarge(value.byteLength, this.maxValueBytes);
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
    return { key, value: bytes, flags: parseFlags(flags) };
  }

  /** Decides again with what caused a conflict. */
  #write(key: string, authored: Authored, decide: Decide): Promise<Written> {
    return this.#queue.run(key, async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const { revision } = this.#feed;
        const draft = new KvDraft({ kv: this.#kv, sessions: this.#sessions, revision });
        const ok = decide(draft);
        if (!ok && !this.#lags) return { ok, revision };
        const txn = draft.toTxn(this.#historyOf(authored), attempt > EXACT_ATTEMPTS);
        if (txn.writes.length === 0 && !this.#lags) return { ok, revision };
        // What is refused, and what is so already, is so only where nobody else has changed what was read.
        const outcome = await this.#feed.commit(ok ? txn : { ...txn, writes: [] });
        if (outcome.ok) return { ok, revision: outcome.revision };
        await this.#feed.applied(outcome.revision);
      }
      throw contended(`key "${displayKey(key)}"`, ATTEMPTS);
    });
  }

  #historyOf({ author = 'unknown' }: Authored): DraftHistory | undefined {
    return this.#history ? { author, at: this.#isoNow() } : undefined;
  }

  #isoNow(): string {
    const wallMs = this.#clock.wall();
    if (wallMs !== this.#last.wallMs) this.#last = { wallMs, text: new Date(wallMs).toISOString() };
    return this.#last.text;
  }
}

/** @throws KV_MISSING_SESSION, KV_INVALID_SESSION */
function isDone(outcome: LockOutcome, sessionId: string): boolean {
  if ('entry' in outcome) return true;
  if (outcome.refused === 'missing session') throw missingSession();
  if (outcome.refused === 'unknown session') throw invalidSession(sessionId);
  return false;
}
