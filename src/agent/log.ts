import { pino, type Logger } from 'pino';
import type { ApiLog, LogLevel, LogLine } from '../api/index.ts';

/** The agent's log: fields first. Secrets are never among them. */
export interface Log {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

/** A log whose level can be changed while it is written to, and which can be followed. */
export interface LeveledLog extends Log, ApiLog {
  level: string;
}

/** A log as the API needs it; one that cannot be followed tells nobody. */
export function apiLogOf(log: Log): ApiLog {
  if ('tap' in log) return log as LeveledLog;
  return {
    isDebug: false,
    debug: (fields, text) => log.debug(fields, text),
    info: (fields, text) => log.info(fields, text),
    warn: (fields, text) => log.warn(fields, text),
    error: (fields, text) => log.error(fields, text),
    tap: () => () => undefined,
  };
}

const RANKS: Readonly<Record<string, number>> = { trace: 0, debug: 1, info: 2, warn: 3, error: 4, silent: 5 };

interface Tap {
  readonly rank: number;
  readonly listen: (line: LogLine) => void;
}

/** Lines of JSON on stderr, so that stdout is free for data. */
export function openLog(level: string): LeveledLog {
  const lines = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.destination({ dest: 2, sync: true }),
  );
  return new TappedLog(lines);
}

class TappedLog implements LeveledLog {
  readonly #lines: Logger;
  readonly #taps = new Set<Tap>();

  constructor(lines: Logger) {
    this.#lines = lines;
  }

  get level(): string {
    return this.#lines.level;
  }

  set level(level: string) {
    this.#lines.level = level;
  }

  get isDebug(): boolean {
    return this.#lines.isLevelEnabled('debug') || Iterator.from(this.#taps).some(({ rank }) => rank <= 1);
  }

  debug(fields: object, text: string): void {
    this.#lines.debug(fields, text);
    this.#tell('debug', fields, text);
  }

  info(fields: object, text: string): void {
    this.#lines.info(fields, text);
    this.#tell('info', fields, text);
  }

  warn(fields: object, text: string): void {
    this.#lines.warn(fields, text);
    this.#tell('warn', fields, text);
  }

  error(fields: object, text: string): void {
    this.#lines.error(fields, text);
    this.#tell('error', fields, text);
  }

  tap(level: LogLevel, listen: (line: LogLine) => void): () => void {
    const tap: Tap = { rank: RANKS[level] ?? 0, listen };
    this.#taps.add(tap);
    return () => void this.#taps.delete(tap);
  }

  #tell(level: LogLevel, fields: object, text: string): void {
    if (this.#taps.size === 0) return;
    const line: LogLine = { at: new Date().toISOString(), level, text, fields };
    for (const { rank, listen } of this.#taps) if ((RANKS[level] ?? 0) >= rank) listen(line);
  }
}
