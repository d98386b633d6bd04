import type { ConsumerKind } from './receipt.ts';

/** How long arrivals took, over the latest ones; null where there was none. */
export interface Figures {
  readonly count: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly lastMs: number | null;
}

/** How many arrivals of each kind the percentiles look back on. */
const WINDOW = 1_000;

/** Collects how long consumers took, by kind. */
export class ArrivalFigures {
  readonly #kinds = new Map<ConsumerKind, { count: number; readonly latest: number[] }>();

  add(kind: ConsumerKind, tookMs: number): void {
    const known = this.#kinds.get(kind) ?? { count: 0, latest: [] };
    known.latest[known.count % WINDOW] = tookMs;
    known.count++;
    this.#kinds.set(kind, known);
  }

  byKind(): ReadonlyMap<ConsumerKind, Figures> {
    return new Map([...this.#kinds].map(([kind, { count, latest }]) => [kind, figuresOf(count, latest)]));
  }
}

function figuresOf(count: number, latest: readonly number[]): Figures {
  const sorted = latest.toSorted((a, b) => a - b);
  const at = (share: number): number | null => sorted[Math.ceil(share * sorted.length) - 1] ?? null;
  return { count, p50Ms: at(0.5), p99Ms: at(0.99), lastMs: latest[(count - 1) % WINDOW] ?? null };
}
