import type { Batch, KeyRange, Revision, StoreEvent } from './contract.ts';
import { inRange } from './contract.ts';
import { storeClosed, storeCompacted } from './errors.ts';

/** How many revisions stay watchable when nobody says otherwise. */
export const HISTORY_REVISIONS = 10_000;

/** How much of keys and values is kept at most: ten thousand large values would be more than a server has memory. */
const HISTORY_BYTES = 256 * 1024 * 1024;

export interface HistoryOptions {
  /** The revision of the state that history begins after. */
  readonly revision: Revision;
  /** How many revisions are kept. */
  readonly capacity?: number | undefined;
  /** 256 MiB unless told. */
  readonly maxBytes?: number;
}

/**
 * The last revisions of an embedded store, in a ring, and its watchers. A watcher is only a position in the ring: a slow
 * one costs no memory, and one that falls off the ring learns it by STORE_COMPACTED.
 */
export class History {
  readonly #capacity: number;
  readonly #maxBytes: number;
  #bytes = 0;
  readonly #ring: (Batch | undefined)[];
  readonly #wakes = new Set<() => void>();
  #waiting: { readonly revision: Revision; readonly resolve: () => void }[] = [];
  #revision: Revision;
  #compacted: Revision;
  #released = false;
  #closed = false;

  constructor(options: HistoryOptions) {
    this.#capacity = options.capacity ?? HISTORY_REVISIONS;
    if (!Number.isSafeInteger(this.#capacity) || this.#capacity < 1)
      throw new RangeError(`a history of ${this.#capacity} revisions`);
    this.#maxBytes = options.maxBytes ?? HISTORY_BYTES;
    this.#ring = [];
    this.#revision = options.revision;
    this.#compacted = options.revision;
  }

  /** The last published revision. */
  get revision(): Revision {
    return this.#revision;
  }

  /** The oldest revision after which a watch can begin. */
  get compacted(): Revision {
    return this.#compacted;
  }

  /**
   * Adds whole revisions, each the successor of the one before, and wakes watchers. One that is not has replaced everything
   * (a restore): nobody can follow from before it.
   */
  publish(batches: readonly Batch[]): void {
    const before = this.#revision;
    for (const batch of batches) {
      if (batch.revision !== this.#revision + 1) {
        this.#restart(batch.revision);
        continue;
      }
      if (batch.revision - this.#compacted > this.#capacity) this.#forgetOldest();
      this.#revision = batch.revision;
      this.#ring[batch.revision % this.#capacity] = batch;
      this.#bytes += sizeOf(batch);
    }
    // Those who follow closely stand at `before`: what has just come is not taken away from them.
    while (this.#bytes > this.#maxBytes && this.#compacted < before) this.#forgetOldest();
    this.#wake();
  }

  /** Everything was replaced, or what lies between is lost: nobody can follow from before `revision`. */
  restart(revision: Revision): void {
    this.#restart(revision);
    this.#wake();
  }

  /** Forgets revisions up to and including `before`. */
  compact(before: Revision): void {
    const until = Math.min(before, this.#revision);
    while (this.#compacted < until) this.#forgetOldest();
  }

  /** Resolves once `revision` is published, or when it never will be because the store closed. */
  reached(revision: Revision): Promise<void> {
    if (revision <= this.#revision || this.#released) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ revision, resolve }));
  }

  /** No revision comes any more: lets everyone go who waits for one, now and later. */
  release(): void {
    this.#released = true;
    for (const waiter of this.#waiting.splice(0)) waiter.resolve();
  }

  /** Ends every watch with STORE_CLOSED. */
  close(): void {
    this.#closed = true;
    this.release();
    this.#wake();
  }

  /** See `Store.watch`. */
  async *watch(range: KeyRange, after: Revision, signal: AbortSignal): AsyncGenerator<Batch, void, undefined> {
    let position = after;
    let wake = (): void => {};
    const onWake = (): void => wake();
    this.#wakes.add(onWake);
    signal.addEventListener('abort', onWake);
    try {
      while (!signal.aborted) {
        if (position < this.#compacted) throw storeCompacted(position, this.#compacted);
        if (position < this.#revision) {
          const batch = within(range, this.#ring[++position % this.#capacity] as Batch);
          if (batch !== undefined) yield batch;
        } else {
          if (this.#closed) throw storeClosed();
          await new Promise<void>((resolve) => (wake = resolve));
        }
      }
    } finally {
      this.#wakes.delete(onWake);
      signal.removeEventListener('abort', onWake);
    }
  }

  #restart(revision: Revision): void {
    this.#ring.length = 0;
    this.#bytes = 0;
    this.#revision = revision;
    this.#compacted = revision;
  }

  #forgetOldest(): void {
    const at = ++this.#compacted % this.#capacity;
    const batch = this.#ring[at];
    if (batch !== undefined) this.#bytes -= sizeOf(batch);
    this.#ring[at] = undefined;
  }

  #wake(): void {
    for (const wake of this.#wakes) wake();
    if (this.#waiting.length === 0) return;
    const ready = this.#waiting.filter((waiter) => waiter.revision <= this.#revision);
    this.#waiting = this.#waiting.filter((waiter) => waiter.revision > this.#revision);
    for (const waiter of ready) waiter.resolve();
  }
}

/**
 * The part of a batch that touches the range, the batch itself when that is all of it. A revision without events is for those who
 * follow everything: whoever waits for a revision waits for that one too.
 */
function within(range: KeyRange, batch: Batch): Batch | undefined {
  if (batch.events.length === 0) return isEverything(range) ? batch : undefined;
  const events = batch.events.filter((event) => inRange(range, keyOf(event)));
  if (events.length === 0) return undefined;
  return events.length === batch.events.length ? batch : { revision: batch.revision, events };
}

function isEverything({ start, end }: KeyRange): boolean {
  return start === '' && end >= '\u{100}';
}

function keyOf(event: StoreEvent): string {
  return event.type === 'put' ? event.entry.key : event.key;
}

function sizeOf({ events }: Batch): number {
  let bytes = 0;
  for (const event of events)
    bytes += event.type === 'put' ? event.entry.key.length + event.entry.value.length : event.key.length;
  return bytes;
}
