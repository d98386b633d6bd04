import type { WireTrace } from '../../../client/src/index.ts';
import type { Command } from '../command.ts';
import { table } from '../output.ts';

/** Shows how far a change has arrived. */
export const trace: Command = {
  usage: 'trace [revision]',
  summary: 'Show at whom a change has arrived and who is late; default the newest that concerns anyone',
  example: 'drover trace 57',
  options: [],
  async run({ args, client, output }) {
    const given = args[0]?.replace(/^r/, '');
    if (given !== undefined && !/^\d{1,15}$/.test(given)) {
      output.say(`error CLI_USAGE: "${args[0]}" is not a revision\nhint: write it as drover prints it: 57 or r57`);
      return 2;
    }
    const found = await client.trace(given === undefined ? 'latest' : Number(given));
    output.data(found, traceLines(found));
    return 0;
  },
};

function traceLines(found: WireTrace): string[] {
  const rows = found.consumers.map((consumer) => [
    `${consumer.kind}@${consumer.node}`,
    consumer.state,
    consumer.tookMs === undefined ? '' : `${Number(consumer.tookMs.toFixed(1))} ms`,
    [consumer.reason, consumer.retryAt === undefined ? undefined : `next try ${consumer.retryAt}`]
      .filter(Boolean)
      .join('; '),
  ]);
  return [
    `r${found.revision}  ${found.at}  ${found.summary.join(', ')}`,
    `arrived at ${found.arrived} of ${found.of}${found.converged ? ': everywhere' : ''}`,
    ...(rows.length === 0 ? [] : ['', ...table(['consumer', 'state', 'took', 'why'], rows)]),
  ];
}
