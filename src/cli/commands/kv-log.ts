import type { Command } from '../command.ts';
import { unknownHistory } from '../errors.ts';
import { historyLines } from '../history-lines.ts';
import { LIMIT_OPTION, limitOf } from '../scope.ts';

/** Shows who changed a key. */
export const kvLog: Command = {
  usage: 'kv:log <key>',
  summary: 'Show who changed a key, when, and how; with --prefix all keys that begin so',
  detail: 'History is kept for as long as the agent’s `history_keep` says, 30 days unless told.',
  example: 'drover kv:log config/limit\ndrover kv:log config/ --prefix --limit 10',
  options: [{ flags: '--prefix', text: 'every key that begins with it' }, LIMIT_OPTION],
  async run({ args, client, host, options, output }) {
    const [key] = args as [string];
    const subject = options['prefix'] === true ? { prefix: key } : { subject: key };
    const items = await client.history({ kind: 'kv', ...subject, ...limitOf(options) });
    if (items.length === 0) throw unknownHistory(key);
    const nowMs = host.clock.wall();
    const named = options['prefix'] === true ? items.map((item) => withSubject(item)) : items;
    output.data(items, historyLines(named, nowMs));
    return 0;
  },
};

function withSubject<Item extends { readonly subject: string; readonly change: string }>(item: Item): Item {
  return { ...item, change: `${item.change} ${JSON.stringify(item.subject)}` };
}
