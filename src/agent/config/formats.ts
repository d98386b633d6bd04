import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import { z } from 'zod';
import { parseDuration } from '../../lib/index.ts';
import { expandAddress } from './address-template.ts';

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

/** An IP literal; `localhost` is the loopback, and Consul's templates are what they are on this machine. */
export const address = z
  .string()
  .transform(literalOf)
  .refine((value) => isIP(value) !== 0, 'expected an IP address');

const NO_ADDRESS = 'expected an IP address, or several with spaces';

/** One or more IP literals with spaces between. */
export const addressList = z
  .string()
  .transform((value) => wordsOf(value).map(literalOf))
  .refine((all) => all.length > 0 && all.every((one) => isIP(one) !== 0), NO_ADDRESS);

/** The same, and Unix sockets as `unix:///run/drover.sock`. */
export const httpAddresses = z
  .string()
  .transform((value) => wordsOf(value).map(literalOf))
  .refine((all) => all.length > 0 && all.every(isHttpAddress), `${NO_ADDRESS}, or unix:///path`);

/** A network in CIDR notation, or one address. */
export const network = z.string().refine(isNetwork, 'expected a network such as "127.0.0.0/8"');

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

/** The path of a Unix socket in Consul's form; undefined for any other address. */
export function socketPath(address: string): string | undefined {
  return address.startsWith('unix://') ? address.slice('unix://'.length) : undefined;
}

/** Spaces part addresses, but not within a template. */
function wordsOf(value: string): string[] {
  return value.match(/\{\{.*?\}\}|\S+/g) ?? [];
}

function literalOf(value: string): string {
  return value === 'localhost' ? '127.0.0.1' : expandAddress(value, networkInterfaces);
}

/** Linux takes no longer path for a socket. */
const LONGEST_SOCKET = 107;

function isHttpAddress(value: string): boolean {
  const path = socketPath(value);
  if (path === undefined) return isIP(value) !== 0;
  return path.startsWith('/') && Buffer.byteLength(path) <= LONGEST_SOCKET;
}

function isNetwork(value: string): boolean {
  const [address = '', bits, ...more] = value.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  if (version === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most);
}

function isDuration(value: string): boolean {
  try {
    return parseDuration(value) >= 0;
  } catch {
    return false;
  }
}
