import type { Command, OptionSpec } from './command.ts';
import { COMMON_OPTIONS, positionalsOf } from './parse-arguments.ts';

/** The line that says how a command is called: `drover exec <service> [options] -- <command...>`. */
export function usageLine(name: string, command: Command): string {
  const program = { none: [], 'after --': ['--', '<command...>'], 'first-word': ['[command...]'] }[
    command.takesProgram === true ? 'after --' : (command.takesProgram ?? 'none')
  ];
  return ['drover', name, ...positionalsOf(command), '[options]', ...program].join(' ');
}

/** What `drover COMMAND --help` prints. */
export function helpText(name: string, command: Command): string {
  const options = [...command.options, ...COMMON_OPTIONS];
  const example = command.example.split('\n').map((line) => `  ${line}`);
  const parts = [
    `Usage: ${usageLine(name, command)}`,
    command.summary,
    ...(command.detail === undefined ? [] : [command.detail]),
    ['Options:', ...columns(options.map((option): [string, string] => [option.flags, describeOption(option)]))].join(
      '\n',
    ),
    ['Example:', ...example].join('\n'),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** An option's text with the values that it takes. */
export function describeOption({ text, value }: OptionSpec): string {
  return Array.isArray(value) ? `${value.join(', ')}; ${text}` : text;
}

/** What `drover help` prints: every command, one group a namespace. */
export function overviewText(commands: ReadonlyMap<string, Command>): string {
  const rows = columns([...commands].map(([name, command]): [string, string] => [name, command.summary]));
  return [
    'Usage: drover COMMAND [ARGUMENTS] [OPTIONS]',
    '',
    ...rows,
    '',
    'drover COMMAND --help shows one with an example. Every command takes --json.',
    '',
  ].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
