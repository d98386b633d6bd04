import { pino } from 'pino';

/** The agent's log: fields first. Secrets are never among them. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** A log whose level can be changed while it is written to. */
export interface LeveledLog extends Log {
  level: string;
}

/** Lines of JSON on stderr, so that stdout is free for data. */
export function openLog(level: string): LeveledLog {
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
}
