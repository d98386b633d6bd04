import type { Command } from '../command.ts';
import { table } from '../output.ts';

/** Lists datastores; their values are secrets. */
export const datastoreList: Command = {
  usage: 'datastore:list',
  summary: 'List datastores; values only with --reveal',
  example: 'drover datastore:list',
  options: [{ flags: '--reveal', text: 'show the values' }],
  async run({ client, options, output }) {
    const datastores = await client.datastores({ reveal: options['reveal'] === true });
    const rows = datastores.map(({ name, federation, region, value }) => [
      name,
      federation,
      region === '-' ? 'every' : region,
      value,
    ]);
    if (rows.length === 0) output.say('there are no datastores yet: drover datastore:set NAME - sets one');
    output.data(datastores, table(['datastore', 'federation', 'region', 'value'], rows));
    return 0;
  },
};
