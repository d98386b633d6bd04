import type { Command } from '../command.ts';
import { listenerLines } from '../listener-lines.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

/** Shows a node's listener: on or off, running, queued, the last run. */
export const listenerStatus: Command = {
  usage: 'listener:status',
  summary: 'Show a node’s listener: on or off, running, queued, the last run',
  example: 'drover listener:status --node api-1 --json',
  options: [NODE_OPTION],
  async run(invocation) {
    const { client, host, output } = invocation;
    const status = await client.listener(nodeOf(invocation));
    output.data(status, listenerLines(status, host.clock.wall()));
    return 0;
  },
};
