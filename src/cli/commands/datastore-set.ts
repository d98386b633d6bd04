import type { Command } from '../command.ts';
import { waitForArrival, WAIT_OPTIONS } from '../wait.ts';
import { SCOPE_OPTIONS, scopeOf } from '../scope.ts';

/** Sets a named datastore: who requires it gets the new value and is provisioned. */
export const datastoreSet: Command = {
  usage: 'datastore:set <name> <value>',
  summary: 'Set a datastore’s value (a secret) for a federation and region',
  example: 'drover datastore:set PRIMARY_DATABASE_URL mysql://user:new@db2/app --wait=30s',
  options: [...SCOPE_OPTIONS, ...WAIT_OPTIONS],
  async run(invocation) {
    const { args, client, output } = invocation;
    const [name = '', value = ''] = args;
    const { revision } = await client.setDatastore(name, value, scopeOf(invocation));
    output.data({ name, revision }, [`datastore ${name} is set at r${revision}`]);
    return waitForArrival(invocation, revision);
  },
};
