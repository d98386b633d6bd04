import type { Command } from '../command.ts';
import { usageError } from '../errors.ts';
import { traceLines } from '../trace-lines.ts';

/** Shows how far a change has arrived. */
export const trace: Command = {
  usage: 'trace [revision]',
  summary: 'Show at whom a change has arrived and who is late; default the newest that concerns anyone',
  example: 'drover trace 57',
  options: [],
  async run({ args, client, host, output }) {
    const found = await client.trace(revisionOf(args[0]));
    output.data(found, traceLines(found, host.clock.wall()));
    return 0;
  },
};

function revisionOf(given: string | undefined): number | 'latest' {
  if (given === undefined || given === 'latest') return 'latest';
  if (/^r?[1-9]\d{0,14}$/.test(given)) return Number(given.replace('r', ''));
  throw usageError.with(
    { hint: 'write it as drover prints it: 57 or r57' },
    `${JSON.stringify(given)} is not a revision`,
  );
}
