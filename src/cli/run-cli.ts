import { DroverClient } from '../../client/src/index.ts';
import { nearest } from '../lib/index.ts';
import { agentAddress, agentToken } from './agent-address.ts';
import type { Command, Invocation } from './command.ts';
import { COMMANDS, loadCommands } from './commands.ts';
import { unknownCommand } from './errors.ts';
import { helpText, overviewText } from './help.ts';
import type { Host } from './host.ts';
import { openOutput } from './output.ts';
import { parseArguments } from './parse-arguments.ts';
import { reportFailure } from './report-failure.ts';

/**
 * Runs one command line, without the program's name, and gives its exit status (design 11): 0 done, 1 failed or not in
 * time, 2 usage or invalid input, 3 requirement unresolved, 4 not found, 5 denied, 6 conflict. Throws nothing.
 */
export async function runCli(argv: readonly string[], host: Host): Promise<number> {
  const [word = 'help', ...rest] = argv;
  if (word === 'consul') return (await import('./consul/run-consul.ts')).runConsul(rest, host);
  try {
    return await dispatch(nameOf(word), rest, host);
  } catch (error) {
    return reportFailure(error, host, wantsJson(argv));
  }
}

function nameOf(word: string): string {
  if (['--version', '-version', '-v'].includes(word)) return 'version';
  return ['--help', '-help', '-h'].includes(word) ? 'help' : word;
}

/** What stands behind `--` is another program's. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return (end < 0 ? argv : argv.slice(0, end)).some((word) => word === '--json' || word === '-json');
}

async function dispatch(name: string, words: readonly string[], host: Host): Promise<number> {
  if (name === 'help') return showHelp(words[0], host);
  return runCommand(name, await load(name, words), words, host);
}

async function runCommand(name: string, command: Command, words: readonly string[], host: Host): Promise<number> {
  const parsed = parseArguments(name, command, words);
  if (parsed === 'help') {
    host.stdout(helpText(name, command));
    return 0;
  }
  return command.run(toInvocation(parsed, host));
}

function toInvocation(parsed: Pick<Invocation, 'args' | 'options' | 'rest'>, host: Host): Invocation {
  const token = agentToken(host.environment, parsed.options['tokenFile']);
  const client = new DroverClient({
    address: agentAddress(parsed.options['httpAddr'], host.environment),
    ...(token === undefined ? {} : { token }),
    ...(host.fetch === undefined ? {} : { fetch: host.fetch }),
  });
  return { ...parsed, client, output: openOutput(host, parsed.options['json'] === true), host };
}

async function showHelp(name: string | undefined, host: Host): Promise<number> {
  const isCommand = name !== undefined && !name.startsWith('-');
  host.stdout(isCommand ? helpText(name, await load(name, [])) : overviewText(await loadCommands()));
  return 0;
}

async function load(name: string, words: readonly string[]): Promise<Command> {
  const found = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (found !== undefined) return found();
  const hint = hintFor(name, words);
  throw hint === undefined ? unknownCommand(name) : unknownCommand.with({ hint }, name);
}

/** `service apply` is `service:apply`, `kv` one of the kv commands, and `servce:list` a slip. */
function hintFor(name: string, [next = '']: readonly string[]): string | undefined {
  const names = Object.keys(COMMANDS);
  const joined = `${name}:${next}`;
  const inside = names.filter((one) => one.startsWith(`${name}:`));
  if (names.includes(joined)) return `did you mean "${joined}"?`;
  if (inside.length > 0) return `it is one of ${inside.join(', ')}`;
  const near = nearest(name, names);
  return near === undefined ? undefined : `did you mean "${near}"?`;
}
