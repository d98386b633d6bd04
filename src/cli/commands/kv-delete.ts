import type { Command } from '../command.ts';
import { kvPath } from '../kv-path.ts';

/** Deletes a key, or all keys under a prefix. */
export const kvDelete: Command = {
  usage: 'kv:delete <key>',
  summary: 'Delete a key, or with --recurse every key that begins with it',
  example: 'drover kv:delete config/ --recurse',
  options: [{ flags: '--recurse', text: 'every key that begins with it' }],
  async run({ args, client, options, output }) {
    const [key = ''] = args;
    const query = options['recurse'] === true ? { recurse: '' } : {};
    const { revision } = await client.request(kvPath(key), { method: 'DELETE', query });
    output.data({ key, revision }, [`"${key}" is deleted at r${revision}`]);
    return 0;
  },
};
