import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';

/** Lets go of a suspected node that a partition alarm keeps from being down. */
export const nodeRelease: Command = {
  usage: 'node:release <name>',
  summary: 'Let go of a suspected node that a partition alarm keeps from being down',
  example: 'drover node:release api-3',
  options: [...WAIT_OPTIONS],
  async run(invocation) {
    const [name] = invocation.args as [string];
    const { revision, body } = await invocation.client.releaseNode(name);
    return reportChange(invocation, { revision, value: body, lines: [`node ${name} is let go at r${revision}`] });
  },
};
