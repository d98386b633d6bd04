import { ApiError, UnreachableError, type WireError } from '../../client/src/index.ts';
import { DroverError, formatDroverError, messageOf, type DroverErrorJson } from '../lib/index.ts';
import type { Output } from './command.ts';

/** Exit statuses (design 11). */
export const EXIT = { done: 0, failed: 1, invalid: 2, unresolved: 3, notFound: 4, denied: 5, conflict: 6 } as const;

const EXIT_BY_STATUS: Readonly<Record<number, number>> = {
  400: EXIT.invalid,
  401: EXIT.denied,
  403: EXIT.denied,
  404: EXIT.notFound,
  409: EXIT.conflict,
  413: EXIT.invalid,
  422: EXIT.unresolved,
};

/** Prints what was thrown, as text or with `--json` as an object, and gives the exit status that belongs to it. */
export function reportFailure(thrown: unknown, output: Output): number {
  const { error, exit } = describe(thrown);
  if (output.json) process.stderr.write(`${JSON.stringify({ error }, null, 2)}\n`);
  else output.say(formatDroverError(error));
  return exit;
}

function describe(thrown: unknown): { error: DroverErrorJson | WireError; exit: number } {
  if (thrown instanceof DroverError) return { error: thrown.toJSON(), exit: thrown.exitCode };
  if (thrown instanceof ApiError) return { error: thrown.error, exit: EXIT_BY_STATUS[thrown.status] ?? EXIT.failed };
  if (thrown instanceof UnreachableError) {
    const hint = 'start one with npm start or drover agent --dev, or set DROVER_HTTP_ADDR';
    return { error: { code: 'CLI_UNREACHABLE', message: thrown.message, hint }, exit: EXIT.failed };
  }
  return { error: { code: 'CLI_FAILED', message: messageOf(thrown) }, exit: EXIT.failed };
}
