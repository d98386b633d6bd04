import { defineError } from './errors.ts';

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d+)?|\.\d+)(ns|us|µs|ms|s|m|h)/gy;

export const invalidDuration = defineError(
  'LIB_INVALID_DURATION',
  400,
  (text: string) => `time: invalid duration ${JSON.stringify(text)}`,
  { hint: 'write it as Go does: 10s, 1m30s, 250ms' },
);

/**
 * Milliseconds of a duration in Go's notation (`10s`, `1m30s`, `250ms`, `1.5h`); `0` needs no unit.
 *
 * @throws LIB_INVALID_DURATION
 */
export function parseDuration(text: string): number {
  const unsigned = text.replace(/^[-+]/, '');
  if (unsigned === '0') return 0;
  PART.lastIndex = 0;
  let total = 0;
  let end = 0;
  for (let part = PART.exec(unsigned); part !== null; part = PART.exec(unsigned)) {
    total += Number(part[1]) * (UNIT_MS[part[2] as string] as number);
    end = PART.lastIndex;
  }
  if (end === 0 || end !== unsigned.length) throw invalidDuration(text);
  return text.startsWith('-') ? -total : total;
}

/** A duration as Go prints it: `1m30s`, `250ms`, `0s`. */
export function formatGoDuration(ms: number): string {
  if (ms === 0) return '0s';
  if (Math.abs(ms) < 1_000) return Math.abs(ms) < 1 ? `${round(ms * 1_000)}µs` : `${round(ms)}ms`;
  const sign = ms < 0 ? '-' : '';
  const total = Math.abs(ms) / 1_000;
  const hours = Math.floor(total / 3_600);
  const minutes = Math.floor((total % 3_600) / 60);
  const seconds = `${round(total % 60)}s`;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}` : `${sign}${seconds}`;
}

/** A duration as people say it: `38 ms`, `1.2 s`, `5 min 22 s`. */
export function sayDuration(ms: number): string {
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1_000).toFixed(1))} s`;
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

function round(value: number): number {
  return Number(value.toFixed(9));
}
