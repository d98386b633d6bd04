const FIRST = 500;
const MOST = 5_000;
const WANTED_BYTES = 4_000_000;

/** How many entries the next page is to have: etcd counts entries only, and values may be of any size. */
export class PageSize {
  #entries = FIRST;

  get entries(): number {
    return this.#entries;
  }

  /** Learns from a page. */
  saw(entries: number, bytes: number): void {
    if (entries === 0) return;
    const fitting = Math.floor((WANTED_BYTES * entries) / Math.max(1, bytes));
    this.#entries = Math.max(16, Math.min(MOST, this.#entries * 2, fitting));
  }
}
