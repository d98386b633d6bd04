const FIRST = 500;
// etcd 3.4 walks its index to the end of the range for every page: many small pages are dear.
const MOST = 50_000;
const WANTED_BYTES = 16_000_000;

/** How many entries the next page is to have: etcd counts entries only, and values may be of any size. */
export class PageSize {
  #entries = FIRST;

  get entries(): number {
    return this.#entries;
  }

  /** Learns from a page. */
  saw(entries: readonly { readonly key: Uint8Array; readonly value: Uint8Array }[]): void {
    if (entries.length === 0) return;
    const bytes = entries.reduce((sum, { key, value }) => sum + key.length + value.length, 0);
    const fitting = Math.floor((WANTED_BYTES * entries.length) / Math.max(1, bytes));
    this.#entries = Math.max(16, Math.min(MOST, this.#entries * 4, fitting));
  }
}
