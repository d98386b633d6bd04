import { ApiError, NotDroverError, UnreachableError, type WireError } from '../../client/src/index.ts';
import { DroverError, exitCodeOf, formatDroverError, messageOf, type DroverErrorJson } from '../lib/index.ts';
import { notDrover, unexpected, unreachable } from './errors.ts';
import type { Host } from './host.ts';
import { plainText } from './plain-text.ts';

/**
 * Prints what was thrown on stderr, as text or with `json` as one line `{"error": …}`, and gives the exit status that
 * belongs to it (design 11).
 */
export function reportFailure(thrown: unknown, host: Pick<Host, 'stderr'>, json: boolean): number {
  const { error, exitCode } = toError(thrown);
  host.stderr(`${json ? JSON.stringify({ error }) : plainText(formatDroverError(error))}\n`);
  return exitCode;
}

function toError(thrown: unknown): { readonly error: DroverErrorJson | WireError; readonly exitCode: number } {
  if (thrown instanceof ApiError) return { error: thrown.error, exitCode: exitCodeOf(thrown.status) };
  const error = toDroverError(thrown);
  return { error: error.toJSON(), exitCode: error.exitCode };
}

function toDroverError(thrown: unknown): DroverError {
  if (thrown instanceof DroverError) return thrown;
  if (thrown instanceof UnreachableError) return unreachable(thrown.message);
  if (thrown instanceof NotDroverError) return notDrover(thrown.message);
  return unexpected(messageOf(thrown));
}
