import type { Command } from '../command.ts';
import { listenerLines } from '../listener-lines.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

/** Switches the listener off: nothing runs, what changes is kept. */
export const listenerOff: Command = {
  usage: 'listener:off',
  summary: 'Switch a node’s listener off: nothing is lost, nothing runs',
  example: 'drover listener:off --node staging',
  options: [NODE_OPTION],
  async run(invocation) {
    const status = await invocation.client.switchListener('off', nodeOf(invocation));
    invocation.output.data(status, listenerLines(status));
    return 0;
  },
};
