import type { Command } from '../command.ts';
import { listenerLines } from '../listener-lines.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

/** Switches the listener on: one run is queued at once, whatever changed. */
export const listenerOn: Command = {
  usage: 'listener:on',
  summary: 'Switch a node’s listener on: it provisions once, at once',
  example: 'drover listener:on --node staging',
  options: [NODE_OPTION],
  async run(invocation) {
    const { client, host, output } = invocation;
    const status = await client.switchListener('on', nodeOf(invocation));
    output.data(status, listenerLines(status, host.clock.wall()));
    return 0;
  },
};
