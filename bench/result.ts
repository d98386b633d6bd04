/** How a benchmark is asked to run. */
export interface BenchOptions {
  /** Fewer and shorter rounds: shows that it runs, not what it measures. */
  readonly quick: boolean;
}

/** What every benchmark exports as `run`. */
export type Bench = (options: BenchOptions) => Promise<BenchResult>;

/** What one benchmark measured, in the same run as its baseline. */
export interface BenchResult {
  readonly name: string;
  /** What has to hold, in words: `ratio ≥ 0.6 at every number of writers`. */
  readonly bound: string;
  readonly rows: Record<string, string | number>[];
  /** Whether it held. */
  readonly ok: boolean;
}

/** The middle of the numbers; of an even count the lower of the two. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor((numbers.length - 1) / 2)] ?? Number.NaN;
}

/** The smallest number that is not exceeded by that part of them: `percentile(times, 0.99)`. NaN of none. */
export function percentile(numbers: readonly number[], part: number): number {
  return numbers.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(numbers.length * part) - 1)] ?? Number.NaN;
}

/** Rounded to so many places, for a row. */
export function rounded(value: number, places = 2): number {
  return Number(value.toFixed(places));
}
