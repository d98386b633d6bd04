import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command } from '../command.ts';
import { changedSince } from '../errors.ts';
import { kvPath } from '../kv-path.ts';
import { readValue } from '../read-value.ts';

/** Sets a key, also only if it is still as it was read. */
export const kvPut: Command = {
  usage: 'kv:put <key> <value>',
  summary: 'Set a key; with --cas only if nobody changed it since',
  detail: 'With - for the value, all of standard input is the value, byte by byte.',
  example: 'drover kv:put config/limit 20 --cas 57\ndrover kv:put certificates/www - < www.pem',
  options: [
    {
      flags: '--cas <index>',
      text: 'only if its ModifyIndex is this; 0: only if there is no such key',
      value: 'index',
    },
    ...WAIT_OPTIONS,
  ],
  async run(invocation) {
    const { args, client, host, options } = invocation;
    const [key, given] = args as [string, string];
    const path = kvPath(key);
    const text = await readValue(given, host);
    const cas = options['cas'] as number | undefined;
    const { revision, body } = await client.request(path, { method: 'PUT', text, query: { cas } });
    if (body === false) {
      throw changedSince.with({ hint: `read it again: drover kv:get ${JSON.stringify(key)} --json` }, key);
    }
    const lines = [`${JSON.stringify(key)} is set at r${revision}`];
    return reportChange(invocation, { revision, value: { key }, lines });
  },
};
