import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';
import { readTextValue } from '../read-value.ts';
import { scopeOf, SCOPE_OPTIONS } from '../scope.ts';

/** Sets a named datastore: who requires it gets the new value and is provisioned. */
export const datastoreSet: Command = {
  usage: 'datastore:set <name> <value>',
  summary: 'Set a datastore’s value (a secret) for a federation and region',
  detail:
    'With - for the value it is read from standard input, less the newline at its end. What stands on the command line is\nvisible to every user of the machine (ps) while the command runs, and stays in the shell’s history: give real secrets by -.',
  example:
    'drover datastore:set PRIMARY_DATABASE_URL - --wait < database-url.txt\ndrover datastore:set ELASTICSEARCH_URL http://10.0.0.7:9200',
  options: [...SCOPE_OPTIONS, ...WAIT_OPTIONS],
  async run(invocation) {
    const { args, client, host } = invocation;
    const [name, given] = args as [string, string];
    const value = await readTextValue(given, host);
    const { revision } = await client.setDatastore(name, value, scopeOf(invocation));
    return reportChange(invocation, { revision, value: { name }, lines: [`datastore ${name} is set at r${revision}`] });
  },
};
