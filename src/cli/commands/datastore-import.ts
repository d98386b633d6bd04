import { loadDatastores } from '../../definition/index.ts';
import type { Command } from '../command.ts';
import { waitForArrival, WAIT_OPTIONS } from '../wait.ts';

/** Sets every datastore of a file. */
export const datastoreImport: Command = {
  usage: 'datastore:import <file>',
  summary: 'Set every datastore of a JSON, JSON5 or YAML file',
  example: 'drover datastore:import datastores.json',
  options: WAIT_OPTIONS,
  async run(invocation) {
    const { args, client, output } = invocation;
    const datastores = await loadDatastores(args[0] ?? '');
    let last = 0;
    for (const { name, value, federation, region } of datastores) {
      const scope = { federation, ...(region === null ? {} : { region }) };
      last = (await client.setDatastore(name, value, scope)).revision;
    }
    const names = datastores.map((one) => one.name);
    output.data({ names, revision: last }, [`${names.length} datastores are set at r${last}: ${names.join(', ')}`]);
    return waitForArrival(invocation, last);
  },
};
