import type { Command } from '../command.ts';
import { kvPath } from '../kv-path.ts';

/** Prints the value of a key. */
export const kvGet: Command = {
  usage: 'kv:get <key>',
  summary: 'Print the value of a key',
  example: 'drover kv:get config/limit',
  options: [],
  async run({ args, client, output }) {
    const [key = ''] = args;
    const { body } = await client.request(kvPath(key));
    const [entry] = body as { Value: string | null; [field: string]: unknown }[];
    const value = Buffer.from(entry?.Value ?? '', 'base64');
    if (output.json) output.data({ ...entry, Value: value.toString() }, []);
    else output.raw(`${value.toString()}\n`);
    return 0;
  },
};
