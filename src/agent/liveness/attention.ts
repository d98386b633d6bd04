/** What counts as strain is this many times the pause between two looks. */
const LATE = 2;
const MOST_STRAIN = 4;
/** So long without a late look takes one degree of strain away. */
const CALM_MS = 10_000;

/**
 * Time as a server has really paid attention to it, in ms. While it was stopped or starved, nodes could not be heard either: that
 * time does not count against them, and for a while after it everything is waited for longer (Lifeguard: arXiv 1707.00788). Pure.
 */
export class Attention {
  readonly #everyMs: number;
  #lastMs: number;
  #spentMs = 0;
  #strain = 0;
  #calmMs = 0;

  /** `everyMs`: how often `look` is meant to be called. */
  constructor(everyMs: number, nowMs: number) {
    this.#everyMs = everyMs;
    this.#lastMs = nowMs;
  }

  /** To be called every so often, with the monotonic time. */
  look(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#lastMs);
    this.#lastMs = nowMs;
    const most = this.#everyMs * LATE;
    this.#spentMs += Math.min(passedMs, most);
    if (passedMs > most) this.#tighten();
    else this.#relax(passedMs);
  }

  /** How long it has paid attention. */
  get spentMs(): number {
    return this.#spentMs;
  }

  /** From 1, when all is well, up to 5: times to wait before anybody is accused are multiplied by it. */
  get factor(): number {
    return 1 + this.#strain;
  }

  #tighten(): void {
    this.#strain = Math.min(MOST_STRAIN, this.#strain + 1);
    this.#calmMs = 0;
  }

  #relax(passedMs: number): void {
    this.#calmMs += passedMs;
    if (this.#strain === 0 || this.#calmMs < CALM_MS) return;
    this.#strain--;
    this.#calmMs = 0;
  }
}
