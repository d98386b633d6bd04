import { Command as Program, CommanderError, Option } from 'commander';
import { nearest, parseDuration } from '../lib/index.ts';
import type { Command, OptionSpec, ValueKind } from './command.ts';
import { usageError } from './errors.ts';

/** What the words of a command line mean. */
export interface Arguments {
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  readonly rest: readonly string[];
}

/** Options that every command takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  { flags: '--json', text: 'data, messages and errors as JSON' },
  { flags: '--http-addr <address>', text: 'the agent; default DROVER_HTTP_ADDR, CONSUL_HTTP_ADDR, 127.0.0.1:8500' },
  {
    flags: '--token-file <file>',
    text: 'whose first line is the token; default DROVER_TOKEN, CONSUL_HTTP_TOKEN, or …_FILE',
  },
];

const HELP: OptionSpec = { flags: '--help', text: 'this' };
const HIGHEST_PORT = 65_535;

/** The words of one command, checked. `help`: they ask for its help. @throws CLI_USAGE */
export function parseArguments(name: string, command: Command, argv: readonly string[]): Arguments | 'help' {
  const specs = [...command.options, ...COMMON_OPTIONS];
  const { own, rest } = splitProgram(command, specs, argv);
  const program = toProgram(command, specs);
  try {
    program.parse(normalise(own, [...specs, HELP]), { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 'help';
    throw toUsageError(name, error.message, own, specs);
  }
  const options = program.opts<Record<string, unknown>>();
  return { args: program.args, options, rest };
}

/** The words that are drover's, and those of the program that it runs. */
function splitProgram(
  { takesProgram }: Command,
  specs: readonly OptionSpec[],
  argv: readonly string[],
): { readonly own: readonly string[]; readonly rest: readonly string[] } {
  if (takesProgram === undefined) return { own: argv, rest: [] };
  const at = takesProgram === 'first-word' ? firstWord(argv, [...specs, HELP]) : argv.indexOf('--');
  if (at < 0) return { own: argv, rest: [] };
  return { own: argv.slice(0, at), rest: argv.slice(argv[at] === '--' ? at + 1 : at) };
}

/** Where the first word stands that is neither an option nor the value of one; -1 for nowhere. */
function firstWord(argv: readonly string[], specs: readonly OptionSpec[]): number {
  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] as string;
    if (word === '--' || !word.startsWith('-')) return at;
    const spec = specs.find((one) => [nameOf(one), nameOf(one).slice(1)].includes(word));
    if (spec?.flags.endsWith('>') === true) at++;
  }
  return -1;
}

/** `<path...>`, `[value]`: what follows the name in a usage line, without the part behind `--`. */
export function positionalsOf({ usage }: Command): string[] {
  return usage.split(' ').slice(1);
}

function toProgram(command: Command, specs: readonly OptionSpec[]): Program {
  const program = new Program().exitOverride().showSuggestionAfterError(false);
  program.configureOutput({ writeOut: () => undefined, writeErr: () => undefined });
  for (const argument of positionalsOf(command)) program.argument(argument);
  for (const spec of specs) program.addOption(toOption(spec));
  return program;
}

function toOption({ flags, text, value }: OptionSpec): Option {
  const option = new Option(flags, text);
  if (value === undefined) return option;
  return option.argParser((given) => checkValue(`--${option.name()}`, value, given));
}

function checkValue(flag: string, kind: ValueKind, given: string): string | number {
  if (kind === 'duration') return checkDuration(flag, given);
  if (kind === 'port') return checkNumber(flag, given, 'a port number', (port) => port >= -1 && port <= HIGHEST_PORT);
  if (kind === 'index') return checkNumber(flag, given, 'a whole number', (index) => index >= 0);
  const found = kind.find((one) => one.toLowerCase() === given.toLowerCase());
  if (found !== undefined) return found;
  const near = nearest(given, kind);
  throw wrongValue(flag, kind.join(', '), given, near === undefined ? undefined : `did you mean ${near}?`);
}

function checkDuration(flag: string, given: string): string {
  const expected = 'a duration such as 30s or 1m30s';
  if (given === '') return given;
  if (given.startsWith('-')) throw wrongValue(flag, expected, given);
  try {
    parseDuration(given);
    return given;
  } catch {
    throw wrongValue(flag, expected, given);
  }
}

function checkNumber(flag: string, given: string, expected: string, fits: (value: number) => boolean): number {
  const value = /^-?\d{1,15}$/.test(given) ? Number(given) : Number.NaN;
  if (fits(value)) return value;
  throw wrongValue(flag, expected, given);
}

function wrongValue(flag: string, expected: string, given: string, hint?: string): Error {
  const text = `${flag}: expected ${expected}, found ${JSON.stringify(given)}`;
  return hint === undefined ? usageError(text) : usageError.with({ hint }, text);
}

/**
 * Consul takes `-config-dir` for `--config-dir`; so does drover, for options that it knows. A word after an option whose
 * value may be left out is its value only when it begins like one: `--wait 3s`, but `--wait data_bags/`.
 */
function normalise(words: readonly string[], specs: readonly OptionSpec[]): string[] {
  const end = words.indexOf('--');
  return words.flatMap((word, index) => {
    if (end >= 0 && index > end) return [word];
    const [flag = ''] = word.split('=', 1);
    const spec = specs.find((one) => [nameOf(one), nameOf(one).slice(1)].includes(flag));
    if (spec === undefined) return [word];
    const full = word.startsWith('--') || flag === nameOf(spec) ? word : `-${word}`;
    const isBare = spec.flags.endsWith(']') && full === nameOf(spec) && !/^[\d.]/.test(words[index + 1] ?? '');
    // Left alone, commander would take the next word. An empty value stands for none.
    return isBare ? [`${full}=`] : [full];
  });
}

/** The duration of an option that may come without one, in ms; undefined when the option is not given. */
export function durationOf(given: unknown, defaultMs: number): number | undefined {
  if (typeof given !== 'string') return undefined;
  return given === '' ? defaultMs : parseDuration(given);
}

function nameOf({ flags }: OptionSpec): string {
  return flags.split(/[ ,]/, 1)[0] as string;
}

function toUsageError(name: string, message: string, words: readonly string[], specs: readonly OptionSpec[]): Error {
  const text = (message.replace(/^error: /, '').split('\n')[0] as string).replaceAll("'", '"');
  const [, unknown] = /unknown option "([^"=]+)/.exec(text) ?? [];
  const near = unknown === undefined ? undefined : nearest(unknown, specs.map(nameOf));
  const hint = near === undefined ? `drover ${name} --help shows how it is used` : `did you mean ${near}?`;
  const isProgram = unknown !== undefined && near === undefined && words.indexOf(unknown) > 1 && name === 'exec';
  return usageError.with(
    { hint: isProgram ? 'put -- before the command: drover exec SERVICE -- COMMAND' : hint },
    text,
  );
}
