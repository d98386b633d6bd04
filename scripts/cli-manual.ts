import { cliManual, loadCommands } from '../src/cli/index.ts';

const commands = await loadCommands();

/** Every command with its usage, options and an example. */
export function cliManualText(): string {
  return cliManual(commands);
}
