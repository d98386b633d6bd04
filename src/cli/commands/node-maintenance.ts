import type { Command } from '../command.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';
import { waitForArrival, WAIT_OPTIONS } from '../wait.ts';

/** Takes a node, or one of its instances, out of DNS and balancers, or back in. */
export const nodeMaintenance: Command = {
  usage: 'node:maintenance <on|off>',
  summary: 'Take a node or one of its services out of DNS and balancers, or back in',
  example: 'drover node:maintenance on --node api-1 --service api --reason "new disk" --wait',
  options: [
    NODE_OPTION,
    { flags: '--service <id>', text: 'only this service of the node' },
    { flags: '--reason <text>', text: 'why, for whoever looks' },
    ...WAIT_OPTIONS,
  ],
  async run(invocation) {
    const { args, client, options, output } = invocation;
    const [to] = args;
    if (to !== 'on' && to !== 'off') {
      output.say('error CLI_USAGE: say on or off');
      return 2;
    }
    const { revision } = await client.maintenance(to === 'on', {
      ...nodeOf(invocation),
      ...(typeof options['service'] === 'string' ? { service: options['service'] } : {}),
      ...(typeof options['reason'] === 'string' ? { reason: options['reason'] } : {}),
    });
    output.data({ maintenance: to === 'on', revision }, [`maintenance is ${to} at r${revision}`]);
    return waitForArrival(invocation, revision);
  },
};
