/** Waits that double with each failure up to a cap, and begin anew after a success. */
export class Backoff {
  readonly #firstMs: number;
  readonly #mostMs: number;
  #failures = 0;

  constructor(options: { readonly firstMs: number; readonly mostMs: number }) {
    if (!(options.firstMs > 0)) throw new RangeError(`the first wait must be above 0 ms, not ${options.firstMs}`);
    this.#firstMs = options.firstMs;
    this.#mostMs = Math.max(options.firstMs, options.mostMs);
  }

  /** How many failures there were since the last success. */
  get failures(): number {
    return this.#failures;
  }

  /** Notes a failure and says how long to wait, in ms. */
  next(): number {
    const waitMs = this.#firstMs * 2 ** this.#failures++;
    return Math.min(waitMs, this.#mostMs);
  }

  /** Notes a success. */
  reset(): void {
    this.#failures = 0;
  }
}
