import type { Command } from '../command.ts';
import { listenerLines } from '../listener-lines.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

/** Switches the listener off: nothing runs, what changes is kept. */
export const listenerOff: Command = {
  usage: 'listener:off',
  summary: 'Switch a node’s listener off: nothing runs, nothing is lost',
  example: 'drover listener:off --node staging',
  options: [NODE_OPTION],
  async run(invocation) {
    const { client, host, output } = invocation;
    const status = await client.switchListener('off', nodeOf(invocation));
    output.data(status, listenerLines(status, host.clock.wall()));
    return 0;
  },
};
