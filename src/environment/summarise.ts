import type { Outcome } from '../change/index.ts';
import { messageOf } from '../lib/index.ts';
import type { KeptFile } from './plan-files.ts';

/** A file, directory or list that could not be written or removed. */
export interface FileFailure {
  readonly file: string;
  readonly error: unknown;
}

/** Errors that only the operator can mend: drover has no right to, or the place cannot be what it is to be. */
const NO_RIGHTS = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ELOOP']);

/** One outcome for all of a node's files, the worst of them, with every reason. */
export function summarise(
  kept: readonly KeptFile[],
  failures: readonly FileFailure[],
  changed: boolean,
): { readonly outcome: Outcome; readonly reason?: string } {
  const reasons = [...kept.map((one) => one.reason), ...failures.map(({ error }) => messageOf(error))];
  if (reasons.length === 0) return { outcome: changed ? 'applied' : 'unchanged' };
  return { outcome: worst(kept, failures), reason: reasons.join('; ') };
}

function worst(kept: readonly KeptFile[], failures: readonly FileFailure[]): Outcome {
  if (kept.some(({ outcome }) => outcome === 'refused')) return 'refused';
  if (failures.length > 0) return failures.every(({ error }) => NO_RIGHTS.has(codeOf(error))) ? 'refused' : 'failed';
  return 'held';
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? '';
}
