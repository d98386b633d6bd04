import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';
import { kvPath } from '../kv-path.ts';

/** Deletes a key, or all keys under a prefix. */
export const kvDelete: Command = {
  usage: 'kv:delete <key>',
  summary: 'Delete a key, or with --recurse every key that begins with it',
  detail: 'A key that is not there counts as deleted. An empty prefix, which would be every key, is refused.',
  example: 'drover kv:delete config/ --recurse',
  options: [{ flags: '--recurse', text: 'every key that begins with it' }, ...WAIT_OPTIONS],
  async run(invocation) {
    const { args, client, options } = invocation;
    const [key] = args as [string];
    const recurse = options['recurse'] === true;
    const query = recurse ? { recurse: '' } : {};
    const { revision } = await client.request(kvPath(key), { method: 'DELETE', query });
    const what = recurse ? `every key that begins with ${JSON.stringify(key)}` : JSON.stringify(key);
    const lines = [`${what} is deleted at r${revision}`];
    return reportChange(invocation, { revision, value: { key, recurse }, lines });
  },
};
