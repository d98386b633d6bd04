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
