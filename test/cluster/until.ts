import { until as untilSo } from '../until.ts';

/** Asks until the answer is true. @throws what `said` tells when that takes longer than `withinMs` */
export async function until(
  ask: () => Promise<boolean> | boolean,
  withinMs: number,
  said: () => string = () => 'it did not happen',
): Promise<void> {
  await untilSo(said, ask, withinMs);
}
