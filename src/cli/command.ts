import type { DroverClient } from '../../client/src/index.ts';
import type { Host } from './host.ts';

/** What an option's value must be; checked before anything is sent. */
export type ValueKind = 'duration' | 'port' | 'index' | readonly string[];

/** One option of a command: `--wait [duration]`. */
export interface OptionSpec {
  /** As commander takes it: `--node <name>`. */
  readonly flags: string;
  readonly text: string;
  /** Default: any text. */
  readonly value?: ValueKind;
}

/** What a command is run with. */
export interface Invocation {
  /** Positional arguments as given. */
  readonly args: readonly string[];
  /** Options by camelCase name; those that are not given are missing. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What stands after `--`, for commands that run another program. */
  readonly rest: readonly string[];
  readonly client: DroverClient;
  readonly output: Output;
  readonly host: Host;
}

/** Where a command's results go: data on stdout, messages on stderr. */
export interface Output {
  readonly json: boolean;
  /** With `--json` the value, else the lines. */
  data(value: unknown, lines: readonly string[]): void;
  /** Raw data on stdout, whatever the format. */
  raw(content: string | Uint8Array): void;
  /** A message for people, on stderr; with `--json` a line `{"message": …}`. */
  say(text: string): void;
}

/**
 * One command: one file in `commands/`. `run` resolves with the exit status (design 11) and throws what goes wrong. What is
 * large is imported when it runs, so that the list of commands and other commands start fast.
 */
export interface Command {
  /** `service:apply <path...>`. */
  readonly usage: string;
  /** What it does, in half a line. */
  readonly summary: string;
  /** What its user should know beyond that; paragraphs. */
  readonly detail?: string;
  /** One or more lines that can be typed as they are. */
  readonly example: string;
  readonly options: readonly OptionSpec[];
  /** It runs another program, which stands after `--`, or also begins with the first word that is no option. */
  readonly takesProgram?: true | 'first-word';
  run(invocation: Invocation): Promise<number>;
}
