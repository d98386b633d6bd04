import { usageError } from './errors.ts';

/** A revision as it is typed: `57` or `r57`. @throws CLI_USAGE */
export function revisionOf(given: string): number {
  if (/^r?[1-9]\d{0,14}$/.test(given)) return Number(given.replace('r', ''));
  throw usageError.with(
    { hint: 'write it as drover prints it: 57 or r57' },
    `${JSON.stringify(given)} is not a revision`,
  );
}
