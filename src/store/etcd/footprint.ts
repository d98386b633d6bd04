import type { KeyRange, Txn } from '../contract.ts';
import { inRange } from '../contract.ts';

/** What transactions touch, so that those that look at what another writes are told apart from those that do not. */
export class Footprint {
  readonly #reads = new Set<string>();
  readonly #writes = new Set<string>();
  readonly #readRanges: KeyRange[] = [];
  readonly #writtenRanges: KeyRange[] = [];

  /** Notes what a transaction touches. */
  add({ compares, unchanged = [], writes }: Txn): void {
    for (const { key } of compares) this.#reads.add(key);
    for (const { range } of unchanged) this.#readRanges.push(range);
    for (const write of writes) {
      if (write.type === 'delete-range') this.#writtenRanges.push(write.range);
      else this.#writes.add(write.key);
    }
  }

  /** Whether the transaction writes what was noted as touched, or touches what was noted as written. */
  meets({ compares, unchanged = [], writes }: Txn): boolean {
    return (
      compares.some(({ key }) => this.#isWritten(key)) ||
      unchanged.some(({ range }) => this.#isWrittenIn(range)) ||
      writes.some((write) =>
        write.type === 'delete-range'
          ? this.#isWrittenIn(write.range) || this.#isReadIn(write.range)
          : this.#isWritten(write.key) || this.#isRead(write.key),
      )
    );
  }

  #isWritten(key: string): boolean {
    return this.#writes.has(key) || this.#writtenRanges.some((range) => inRange(range, key));
  }

  #isRead(key: string): boolean {
    return this.#reads.has(key) || this.#readRanges.some((range) => inRange(range, key));
  }

  #isWrittenIn(range: KeyRange): boolean {
    return holdsAny(range, this.#writes) || this.#writtenRanges.some((other) => overlap(range, other));
  }

  #isReadIn(range: KeyRange): boolean {
    return holdsAny(range, this.#reads) || this.#readRanges.some((other) => overlap(range, other));
  }
}

function holdsAny(range: KeyRange, keys: ReadonlySet<string>): boolean {
  for (const key of keys) if (inRange(range, key)) return true;
  return false;
}

function overlap(one: KeyRange, other: KeyRange): boolean {
  return one.start < other.end && other.start < one.end && one.start < one.end && other.start < other.end;
}
