export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error';

/** One line of the agent's log. */
export interface LogLine {
  /** RFC 3339. */
  readonly at: string;
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: object;
}

/** The agent's log, as the API needs it: fields first, as pino has it. */
export interface ApiLog {
  /** Whether anybody hears what is said at `debug`. */
  readonly isDebug: boolean;
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
  /** Also tells each line of that level or above, until the result is called. */
  tap(level: LogLevel, listen: (line: LogLine) => void): () => void;
}
