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
    const status = await invocation.client.listener(nodeOf(invocation));
    invocation.output.data(status, listenerLines(status));
    return 0;
  },
};
