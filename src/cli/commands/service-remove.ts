import type { Command } from '../command.ts';
import { scopeOf, SCOPE_OPTIONS } from '../scope.ts';
import { waitForArrival, WAIT_OPTIONS } from '../wait.ts';

/** Removes a definition; its instances stay registered. */
export const serviceRemove: Command = {
  usage: 'service:remove <id>',
  summary: 'Remove a service’s definition; its instances stay registered',
  example: 'drover service:remove api',
  options: [...SCOPE_OPTIONS.slice(0, 1), ...WAIT_OPTIONS],
  async run(invocation) {
    const { args, client, output } = invocation;
    const [id = ''] = args;
    const { revision } = await client.removeDefinition(id, scopeOf(invocation));
    output.data({ id, revision }, [`definition ${id} is removed at r${revision}`]);
    return waitForArrival(invocation, revision);
  },
};
