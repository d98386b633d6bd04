/** How many things may happen: `capacity` at once, and one more each `refillMs`. Times are monotonic ms. */
export class TokenBucket {
  #capacity: number;
  readonly #refillMs: number;
  #tokens: number;
  #at: number;

  constructor(options: { capacity: number; refillMs: number; nowMs: number }) {
    this.#capacity = options.capacity;
    this.#refillMs = options.refillMs;
    this.#tokens = options.capacity;
    this.#at = options.nowMs;
  }

  /** Takes a token; false, and nothing taken, when there is none. */
  take(nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }

  /** Takes a token although there may be none: what comes later waits for it. */
  overdraw(nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens--;
  }

  /** In how many ms there will be a token; 0 when there is one. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) * this.#refillMs);
  }

  /** Changes the capacity; what it grows by can be taken at once. */
  resize(capacity: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens += Math.max(0, capacity - this.#capacity);
    this.#capacity = capacity;
  }

  #refill(nowMs: number): void {
    const gained = (nowMs - this.#at) / this.#refillMs;
    this.#tokens = Math.min(this.#capacity, this.#tokens + gained);
    this.#at = nowMs;
  }
}
