import { isUtf8 } from 'node:buffer';
import { ApiError } from '../../../client/src/index.ts';
import type { Command } from '../command.ts';
import { unknownKey } from '../errors.ts';
import { kvPath } from '../kv-path.ts';

interface KvEntry {
  readonly Value: string | null;
  readonly [field: string]: unknown;
}

/** Prints the value of a key. */
export const kvGet: Command = {
  usage: 'kv:get <key>',
  summary: 'Print the value of a key',
  detail: 'The value comes as it is kept, byte by byte; a newline follows on a terminal only.',
  example: 'drover kv:get config/limit',
  options: [],
  async run({ args, client, host, output }) {
    const [key] = args as [string];
    const { body } = await client.request(kvPath(key), { as: 'text' }).catch((error: unknown) => {
      throw error instanceof ApiError && error.status === 404 ? unknownKey(key) : error;
    });
    const [entry] = JSON.parse(body as string, keepDigits) as [KvEntry];
    const value = Buffer.from(entry.Value ?? '', 'base64');
    if (output.json) {
      output.data(readable(entry, value), []);
      return 0;
    }
    output.raw(value);
    if (host.terminal.output && value.at(-1) !== 0x0a) output.raw('\n');
    return 0;
  },
};

/** Consul's entry; the value as text where it is text, else in base64, which `Encoding` tells. */
function readable(entry: KvEntry, value: Buffer): object {
  return isUtf8(value) ? { ...entry, Value: value.toString(), Encoding: 'utf-8' } : { ...entry, Encoding: 'base64' };
}

/** Flags are 64 bits wide, a JavaScript number 53. */
function keepDigits(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const isCut = typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined;
  return isCut ? (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(context.source as string) : value;
}
