import { isUtf8 } from 'node:buffer';
import { usageError } from './errors.ts';
import type { Host } from './host.ts';

/** Beyond this nothing that drover keeps would fit. */
const MOST_BYTES = 1_048_576;

/** A value from the command line; `-` stands for all of standard input, as it came. @throws CLI_USAGE when that is too long */
export async function readValue(given: string, host: Host): Promise<Buffer> {
  if (given !== '-') return Buffer.from(given);
  if (host.terminal.input) host.stderr('type the value, then Ctrl-D on a line of its own\n');
  try {
    return await host.readInput(MOST_BYTES);
  } catch (error) {
    throw error instanceof RangeError ? usageError(error.message) : error;
  }
}

/** The same as text without the newline at its end, which an editor or `echo` put there. @throws CLI_USAGE for bytes that are no UTF-8 */
export async function readTextValue(given: string, host: Host): Promise<string> {
  const bytes = await readValue(given, host);
  if (!isUtf8(bytes)) throw usageError('the value is not UTF-8 text');
  const text = bytes.toString();
  return given === '-' ? text.replace(/\r?\n$/, '') : text;
}
