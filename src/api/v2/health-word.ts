import { isRoutable, type Health } from '../../registry/index.ts';

/**
 * The health of a whole service in a word or two: `none` without instances; what all instances are, when they are all the
 * same; `warning` when all get traffic and some warn; `critical` when none does; else how many of them do: `2 of 3 passing`.
 * Only `passing` and `warning` mean that every instance gets traffic.
 */
export function healthWord(healths: readonly Health[]): string {
  const [first] = healths;
  if (first === undefined) return 'none';
  if (healths.every((one) => one === first)) return first;
  const routable = healths.filter(isRoutable).length;
  if (routable === 0) return 'critical';
  return routable === healths.length ? 'warning' : `${routable} of ${healths.length} passing`;
}
