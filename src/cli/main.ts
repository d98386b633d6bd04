import type { Command } from './command.ts';
import { COMMANDS } from './commands.ts';

/**
 * The command line: `drover COMMAND …`. Sets the process's exit status and lets it end by itself, so that output is not
 * cut off. Only the asked command's code is loaded.
 */
export async function main(argv: readonly string[]): Promise<void> {
  const [name, ...rest] = argv;
  process.exitCode = await dispatch(name, rest);
}

async function dispatch(name: string | undefined, argv: readonly string[]): Promise<number> {
  if (name === 'version' || name === '--version' || name === '-v') name = 'version';
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') return printHelp(argv[0]);
  const load = COMMANDS[name];
  if (load === undefined) return unknownCommand(name);
  const { runCommand } = await import('./run-command.ts');
  return runCommand(name, await load(), argv);
}

async function unknownCommand(name: string): Promise<number> {
  const { nearest } = await import('../lib/index.ts');
  const guess = nearest(name, Object.keys(COMMANDS));
  process.stderr.write(`error CLI_UNKNOWN_COMMAND: unknown command "${name}"\n`);
  process.stderr.write(guess === undefined ? 'hint: drover --help lists them\n' : `hint: did you mean "${guess}"?\n`);
  return 2;
}

async function printHelp(name: string | undefined): Promise<number> {
  const load = name === undefined ? undefined : COMMANDS[name];
  if (load !== undefined) return dispatch(name, ['--help']);
  const commands: [string, Command][] = await Promise.all(
    Object.entries(COMMANDS).map(async ([key, one]): Promise<[string, Command]> => [key, await one()]),
  );
  const width = Math.max(...commands.map(([key]) => key.length));
  const lines = commands.map(([key, command]) => `  ${key.padEnd(width)}  ${command.summary}`);
  process.stdout.write(
    `Usage: drover COMMAND [ARGUMENTS] [--json]\n\n${lines.join('\n')}\n\ndrover COMMAND --help shows one with an example.\n`,
  );
  return 0;
}
