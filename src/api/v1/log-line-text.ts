import type { LogLine } from '../api-log.ts';

const NAMES: Readonly<Record<LogLine['level'], string>> = {
  trace: 'TRACE',
  debug: 'DEBUG',
  info: 'INFO',
  warn: 'WARN',
  error: 'ERROR',
};

/** Consul's name of a level. */
export function consulLevel(level: LogLine['level']): string {
  return NAMES[level];
}

/** A line of the log as Consul writes it: `2026-01-02T15:04:05.000Z [INFO]  agent: ready: http=127.0.0.1:8500`. Pure. */
export function logLineText({ at, level, text, fields }: LogLine): string {
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${textOf(value)}`);
  const tail = pairs.length === 0 ? '' : `: ${pairs.join(' ')}`;
  return `${at} ${`[${NAMES[level]}]`.padEnd(7)} agent: ${text}${tail}`.replaceAll(/[\r\n]+/g, ' ');
}

function textOf(value: unknown): string {
  if (value instanceof Error) return JSON.stringify(value.message);
  if (typeof value === 'string') return /^[\w.:/@-]+$/.test(value) ? value : JSON.stringify(value);
  return JSON.stringify(value) ?? 'undefined';
}
