import type { Txn } from '../contract.ts';
import { Footprint } from './footprint.ts';
import { isConditional } from './translate.ts';

/** What one batch holds at most (store.md 0): etcd allows 128 operations a transaction unless told otherwise. */
export const BATCH_LIMITS = Object.freeze({ txns: 64, compares: 64, writes: 64, width: 127, bytes: 1_000_000 });

/** So far into the queue is looked for what fits: those who wait behind one key keep the rest from nobody. */
const LOOK_AHEAD = 512;

/** What a transaction takes of a batch. */
interface Size {
  readonly compares: number;
  readonly writes: number;
  readonly bytes: number;
}

/**
 * Which of the waiting transactions go next, as one of etcd's, by their places in the queue, in order. Two of which one writes what the other
 * touches are never in it together, and keep their order: what waits behind one that waits, waits too. `inFlight` are those that were
 * sent and are not answered; `comparesEach` is how many of etcd's compares one of ours becomes. A transaction too large for a batch
 * goes alone.
 */
export function planBatch(queue: readonly Txn[], inFlight: readonly Txn[] = [], comparesEach = 1): number[] {
  const blocked = new Footprint();
  for (const txn of inFlight) blocked.add(txn);
  const batch = new Batch();
  for (const [place, txn] of queue.slice(0, LOOK_AHEAD).entries()) {
    if (batch.isFull) break;
    const size = sizeOf(txn, comparesEach);
    const isFree = !blocked.meets(txn);
    if (isFree && isLarge(size) && batch.places.length === 0) return [place];
    if (isFree && batch.takes(size, txn)) batch.add(place, size, txn);
    // What is in the batch blocks as well: two of its own never meet.
    blocked.add(txn);
  }
  return batch.places;
}

class Batch {
  readonly places: number[] = [];
  #compares = 0;
  #writes = 0;
  #bytes = 0;
  #outer = 1;
  #inner = 0;

  get isFull(): boolean {
    return this.places.length >= BATCH_LIMITS.txns;
  }

  takes(size: Size, txn: Txn): boolean {
    const [outer, inner] = this.#widthsWith(size, txn);
    return (
      this.#compares + size.compares <= BATCH_LIMITS.compares &&
      this.#writes + size.writes <= BATCH_LIMITS.writes &&
      this.#bytes + size.bytes <= BATCH_LIMITS.bytes &&
      outer + inner <= BATCH_LIMITS.width
    );
  }

  add(place: number, size: Size, txn: Txn): void {
    [this.#outer, this.#inner] = this.#widthsWith(size, txn);
    this.#compares += size.compares;
    this.#writes += size.writes;
    this.#bytes += size.bytes;
    this.places.push(place);
  }

  // etcd counts the wider of compares and operations at each level, and adds the levels up.
  #widthsWith(size: Size, txn: Txn): [outer: number, inner: number] {
    if (!isConditional(txn)) return [this.#outer + size.writes, this.#inner];
    return [this.#outer + 1, Math.max(this.#inner, size.compares, size.writes)];
  }
}

function isLarge({ compares, writes, bytes }: Size): boolean {
  return compares > BATCH_LIMITS.compares || writes > BATCH_LIMITS.writes || bytes > BATCH_LIMITS.bytes;
}

function sizeOf({ compares, unchanged = [], writes }: Txn, comparesEach: number): Size {
  let bytes = 0;
  for (const write of writes) if (write.type === 'put') bytes += write.key.length + write.value.length * 3;
  return { compares: comparesEach * compares.length + unchanged.length, writes: writes.length, bytes };
}
