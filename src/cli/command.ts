import type { DroverClient } from '../../client/src/index.ts';

/** One option of a command: `--wait [duration]`. */
export interface OptionSpec {
  /** As commander takes it: `--node <name>`. */
  readonly flags: string;
  readonly text: string;
}

/** What a command is run with. */
export interface Invocation {
  /** Positional arguments as given. */
  readonly args: readonly string[];
  /** Options by camelCase name. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What stands after `--`. */
  readonly rest: readonly string[];
  readonly client: DroverClient;
  readonly output: Output;
  /** Aborted by SIGINT and SIGTERM. */
  readonly signal: AbortSignal;
}

/** Where a command's results go: data on stdout, messages on stderr. */
export interface Output {
  readonly json: boolean;
  /** With `--json` the value, else the lines. */
  data(value: unknown, lines: readonly string[]): void;
  /** Raw data on stdout, whatever the format. */
  raw(text: string): void;
  /** A message for people, on stderr. */
  say(text: string): void;
}

/** One command: one file in `commands/`. `run` resolves with the exit status (design 11). */
export interface Command {
  /** `service:apply <path...>`. */
  readonly usage: string;
  readonly summary: string;
  readonly example: string;
  readonly options: readonly OptionSpec[];
  /** Everything after the first positional argument belongs to another program. */
  readonly passThrough?: boolean;
  /** It answers SIGINT and SIGTERM itself, through `signal`; otherwise they end it at once. */
  readonly handlesSignals?: boolean;
  run(invocation: Invocation): Promise<number>;
}
