import type { Command } from '../command.ts';
import { table } from '../output.ts';
import { sayTime } from '../say-time.ts';

/** Shows the last transitions of a check. */
export const checkLog: Command = {
  usage: 'check:log <node> <check>',
  summary: 'Show the last fifty transitions of a check, with their output',
  example: 'drover check:log api-3 service:api',
  options: [],
  async run({ args, client, host, output }) {
    const [node, check] = args as [string, string];
    const found = await client.checkHistory(node, check);
    const rows = found.map((one) => [
      `r${one.revision}`,
      sayTime(one.at, host.clock.wall()),
      `${one.from} → ${one.status}`,
      one.output.trim(),
    ]);
    const lines = table(['revision', 'time', 'became', 'output'], rows);
    output.data(found, lines.length === 0 ? [`${check} has been as it is since it was registered`] : lines);
    return 0;
  },
};
