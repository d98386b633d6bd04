import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';
import { scopeOf, SCOPE_OPTIONS } from '../scope.ts';

/** Removes a datastore; who requires it keeps its last environment. */
export const datastoreRemove: Command = {
  usage: 'datastore:remove <name>',
  summary: 'Remove a datastore; who requires it keeps its last environment file',
  example: 'drover datastore:remove PRIMARY_DATABASE_URL',
  options: [...SCOPE_OPTIONS, ...WAIT_OPTIONS],
  async run(invocation) {
    const { args, client } = invocation;
    const [name] = args as [string];
    const { revision } = await client.removeDatastore(name, scopeOf(invocation));
    return reportChange(invocation, {
      revision,
      value: { name },
      lines: [`datastore ${name} is removed at r${revision}`],
    });
  },
};
