import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';
import { FEDERATION_OPTION, scopeOf } from '../scope.ts';

/** Removes a definition; its instances stay registered. */
export const serviceRemove: Command = {
  usage: 'service:remove <id>',
  summary: 'Remove a service’s definition; its instances stay registered',
  example: 'drover service:remove api',
  options: [FEDERATION_OPTION, ...WAIT_OPTIONS],
  async run(invocation) {
    const { args, client, output } = invocation;
    const [id] = args as [string];
    const { revision, body } = await client.removeDefinition(id, scopeOf(invocation));
    if (body.requiredBy.length > 0 && !output.json) {
      output.say(`note: ${body.requiredBy.join(', ')} still require what it provided, and keep their last environment`);
    }
    return reportChange(invocation, { revision, value: body, lines: [`definition ${id} is removed at r${revision}`] });
  },
};
