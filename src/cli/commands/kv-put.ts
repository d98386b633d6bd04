import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';
import { kvPath } from '../kv-path.ts';

/** Sets a key, also only if it is still as it was read. */
export const kvPut: Command = {
  usage: 'kv:put <key> <value>',
  summary: 'Set a key; with --cas only if nobody changed it since',
  example: 'drover kv:put config/limit 20 --cas 57',
  options: [{ flags: '--cas <index>', text: 'only if the key’s ModifyIndex is this; 0: only if it does not exist' }],
  async run({ args, client, options, output }) {
    const [key = '', value = ''] = args;
    const query = typeof options['cas'] === 'string' ? { cas: options['cas'] } : {};
    const { revision, body } = await client.request(kvPath(key), { method: 'PUT', text: value, query });
    if (body === false) {
      output.say(
        `error CLI_CONFLICT: "${key}" was changed since; nothing is written\nhint: read it again with drover kv:get ${key} --json`,
      );
      return EXIT.conflict;
    }
    output.data({ key, revision }, [`"${key}" is set at r${revision}`]);
    return 0;
  },
};
