import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';
import { usageError } from '../errors.ts';
import { nodeOf, NODE_OPTION, textOption } from '../scope.ts';

/** Takes a node, or one of its instances, out of DNS and balancers, or back in. */
export const nodeMaintenance: Command = {
  usage: 'node:maintenance <on|off>',
  summary: 'Take a node or one of its services out of DNS and balancers, or back in',
  example: 'drover node:maintenance on --node api-1 --service api --reason "new disk" --wait',
  options: [
    NODE_OPTION,
    { flags: '--service <id>', text: 'only this service of the node, by its id' },
    { flags: '--reason <text>', text: 'why, for whoever looks' },
    ...WAIT_OPTIONS,
  ],
  async run(invocation) {
    const { args, client, options } = invocation;
    const [to] = args as [string];
    if (to !== 'on' && to !== 'off') throw usageError(`expected on or off, found ${JSON.stringify(to)}`);
    const { revision, body } = await client.maintenance(to === 'on', {
      ...nodeOf(invocation),
      ...textOption('service', options),
      ...textOption('reason', options),
    });
    const what = body.service === null ? `node ${body.node}` : `${body.service}@${body.node}`;
    const state = to === 'on' ? 'is in maintenance' : 'is out of maintenance';
    return reportChange(invocation, { revision, value: body, lines: [`${what} ${state} at r${revision}`] });
  },
};
