import type { Command } from '../command.ts';
import { unknownHistory } from '../errors.ts';
import { historyLines } from '../history-lines.ts';
import { LIMIT_OPTION, limitOf, SCOPE_OPTIONS, textOption } from '../scope.ts';

/** Shows who changed a datastore; its values stay hidden. */
export const datastoreLog: Command = {
  usage: 'datastore:log <name>',
  summary: 'Show who changed a datastore and when; its values stay hidden',
  example: 'drover datastore:log PRIMARY_DATABASE_URL',
  options: [...SCOPE_OPTIONS, LIMIT_OPTION],
  async run({ args, client, host, options, output }) {
    const [name] = args as [string];
    const { federation = 'default' } = textOption('federation', options);
    const { region = '-' } = textOption('region', options);
    const items = await client.history({ kind: 'ds', subject: `${federation}/${region}/${name}`, ...limitOf(options) });
    if (items.length === 0) throw unknownHistory(name);
    output.data(items, historyLines(items, host.clock.wall()));
    return 0;
  },
};
