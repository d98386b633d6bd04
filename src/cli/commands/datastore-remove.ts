import type { Command } from '../command.ts';
import { scopeOf, SCOPE_OPTIONS } from '../scope.ts';
import { waitForArrival, WAIT_OPTIONS } from '../wait.ts';

/** Removes a datastore; who requires it keeps its last environment. */
export const datastoreRemove: Command = {
  usage: 'datastore:remove <name>',
  summary: 'Remove a datastore; who requires it keeps its last environment file',
  example: 'drover datastore:remove PRIMARY_DATABASE_URL',
  options: [...SCOPE_OPTIONS, ...WAIT_OPTIONS],
  async run(invocation) {
    const { args, client, output } = invocation;
    const [name = ''] = args;
    const { revision } = await client.removeDatastore(name, scopeOf(invocation));
    output.data({ name, revision }, [`datastore ${name} is removed at r${revision}`]);
    return waitForArrival(invocation, revision);
  },
};
