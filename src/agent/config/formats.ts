import { isIP } from 'node:net';
import { z } from 'zod';
import { parseDuration } from '../../lib/index.ts';

/** Words for levels that Consul's users write. */
const LEVELS: Readonly<Record<string, string>> = { err: 'error', warning: 'warn' };
/** Levels of the log, the finest first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;

export const text = z.string().min(1);

/** -1 switches a listener off, 0 takes a free port. */
export const portSchema = z.int().min(-1).max(65_535);

/** Text such as `10s`, as ms. */
export const duration = z
  .string()
  .refine(isDuration, 'expected a duration such as "10s", "1m30s" or "250ms"')
  .transform(parseDuration);

/** An IP literal; `localhost` is the loopback. */
export const address = z
  .string()
  .transform((value) => (value === 'localhost' ? '127.0.0.1' : value))
  .refine((value) => isIP(value) !== 0, 'expected an IP address');

/** What DNS can ask for and a directory can be named after. */
export const nameSchema = z
  .string()
  .regex(/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/, 'expected a name of letters, digits, "-", "_" and "."');

export const datacenterSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,63}$/, 'expected a name of letters, digits, "-" and "_"');

/** In any case, with Consul's `err` and `warning`. */
export const logLevel = z
  .string()
  .transform((value) => LEVELS[value.toLowerCase()] ?? value.toLowerCase())
  .refine((value) => (LOG_LEVELS as readonly string[]).includes(value), `expected ${LOG_LEVELS.join(', ')}`);

function isDuration(value: string): boolean {
  try {
    return parseDuration(value) >= 0;
  } catch {
    return false;
  }
}
