import { z } from 'zod';
import { parseDuration } from '../lib/index.ts';
import type { CheckDefinition } from './definition.ts';
import { nonEmpty, withoutUndefined } from './plain.ts';
import { squeeze } from './placed-value.ts';
import { validateValue } from './validate.ts';

/** Consul's numbers on the wire are nanoseconds. */
const NS_PER_MS = 1_000_000;
/** Bytes of a check's output that are kept at most. */
const MAX_OUTPUT = 4_096;

const duration = z
  .union([z.string(), z.number().int()], { error: 'expected a duration such as "10s"' })
  .refine((value) => isDuration(value), { error: 'expected a duration such as "10s", "1m30s" or "250ms"' });
const count = z.number({ error: 'expected a whole number from 0' }).int().min(0);
const text = z.string({ error: 'expected text' });
const flag = z.boolean({ error: 'expected true or false' });

const fields = {
  id: text.describe('Id of the check; default `service:<instance id>`, numbered when there are several.').optional(),
  name: text.describe("Name for people; default `Service '<name>' check`.").optional(),
  service_id: text.describe('Id of the instance that a check outside a service belongs to.').optional(),
  notes: text.describe('Free text for people.').optional(),
  http: text.describe('URL to get: 2xx is passing, 429 warning, all else critical.').optional(),
  method: text.describe('HTTP method; default GET.').optional(),
  header: z
    .record(z.string(), z.union([z.string(), z.array(z.string())]), {
      error: 'expected a map of header to value or list of values',
    })
    .describe('HTTP headers: name to value or list of values.')
    .optional(),
  body: text.describe('HTTP body.').optional(),
  tls_skip_verify: flag.describe('Takes any certificate.').optional(),
  tls_server_name: text.describe('Name asked for in TLS; default the host of the URL.').optional(),
  disable_redirects: flag.describe('Takes a redirect as the answer.').optional(),
  tcp: text.describe('`host:port` to connect to: connected is passing.').optional(),
  ttl: duration.describe('The service reports itself at least this often; else critical.').optional(),
  args: z
    .array(text, { error: 'expected a list of texts' })
    .min(1, { error: 'expected the program and its arguments' })
    .describe('Program and arguments: exit status 0 is passing, 1 warning, all else critical.')
    .optional(),
  script: text.describe('A shell line, run by `/bin/sh -c`; exit status as with `args`.').optional(),
  interval: duration.describe('Time between two runs.').optional(),
  timeout: duration.describe('Time one run may take; default 10 s, scripts 30 s.').optional(),
  status: z
    .enum(['passing', 'warning', 'critical'], { error: 'expected "passing", "warning" or "critical"' })
    .describe('Status until the first result.')
    .optional(),
  success_before_passing: count.describe('Good results in a row before it is passing again.').optional(),
  failures_before_warning: count.describe('Bad results in a row before it is warning.').optional(),
  failures_before_critical: count.describe('Bad results in a row before it is critical.').optional(),
  deregister_critical_service_after: duration
    .describe('Removes the instance after it was critical for so long.')
    .optional(),
  output_max_size: z
    .number({ error: 'expected a number of bytes above 0' })
    .int()
    .min(1)
    .describe('Bytes of output that are kept; at most 4096, whatever is asked for.')
    .optional(),
  token: text.describe('Accepted as Consul has it; the ACL of the agent applies.').optional(),
} as const;

/** Consul's other names for a field, squeezed as `squeeze` does. */
const ALIASES: Readonly<Record<string, keyof typeof fields>> = { checkid: 'id', scriptargs: 'args' };

const KINDS = ['http', 'tcp', 'ttl', 'args', 'script'] as const;
/** Kinds of check that Consul has and this version cannot run: refused by name rather than silently never run. */
const OTHER_KINDS: ReadonlyMap<string, string> = new Map([
  ['udp', 'UDP'],
  ['grpc', 'gRPC'],
  ['dockercontainerid', 'Docker'],
  ['h2ping', 'H2PING'],
  ['osservice', 'OSService'],
  ['aliasservice', 'alias'],
  ['aliasnode', 'alias'],
]);

const bySqueezed: ReadonlyMap<string, keyof typeof fields> = new Map([
  ...Object.keys(fields).map((key) => [squeeze(key), key as keyof typeof fields] as const),
  ...Object.entries(ALIASES),
]);

const checkObject = z.strictObject(fields).superRefine((check, context) => {
  const problem = problemOf(check);
  if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
});
export type CheckInput = z.output<typeof checkObject>;

/** A check as files have it: keys in snake_case or in Consul's CapitalCase, durations as text or in ns. */
export const checkSchema = z.preprocess((value, context) => {
  const entries = canonicalEntries(value);
  if (entries === undefined) return value;
  const other = entries.filter(([key]) => OTHER_KINDS.has(squeeze(key)));
  for (const [key] of other) {
    const message = `${OTHER_KINDS.get(squeeze(key))} checks are not known to this version: use http, tcp, args or ttl`;
    context.addIssue({ code: 'custom', message, path: [key] });
  }
  return Object.fromEntries(entries.filter((entry) => !other.includes(entry)));
}, checkObject);

/** A check's fields under the names of the schema; keys it does not know keep theirs. Undefined for what is no object. */
function canonicalEntries(value: unknown): [string, unknown][] | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  return Object.entries(value).map(([key, inner]) => [bySqueezed.get(squeeze(key)) ?? key, inner]);
}

/** How `parseCheck` reads. */
export interface ParseCheckOptions {
  /** Consul's wire: unknown keys, nulls, zeros, empty texts and empty lists are as if they were not there. */
  readonly wire?: boolean;
}

/**
 * The frozen check of a value from a file or, with `wire`, from Consul's HTTP API.
 *
 * @throws DEFINITION_INVALID, DEFINITION_UNKNOWN_KEY with the key's path
 */
export function parseCheck(value: unknown, options: ParseCheckOptions = {}): CheckDefinition {
  const input = options.wire === true ? withoutWireNoise(value) : value;
  return toCheck(validateValue(input, checkSchema));
}

function withoutWireNoise(value: unknown): unknown {
  const entries = canonicalEntries(value);
  if (entries === undefined) return value;
  const known = entries.filter(([key]) => Object.hasOwn(fields, key) || OTHER_KINDS.has(squeeze(key)));
  return Object.fromEntries(known.filter(([, inner]) => !isNothing(inner)));
}

/** Go's zero values, which clients in other languages send where Go's own leaves the field out. */
function isNothing(value: unknown): boolean {
  return [null, '', 0, '0s'].includes(value as null) || (Array.isArray(value) && value.length === 0);
}

function problemOf(check: CheckInput): { message: string; path: string[] } | undefined {
  const kinds = KINDS.filter((kind) => check[kind] !== undefined);
  if (kinds.length === 0) return { message: 'a check needs one of http, tcp, args, script or ttl', path: [] };
  if (kinds.length > 1) return { message: `a check is of one kind, this one has ${kinds.join(' and ')}`, path: [] };
  const needsInterval = check.ttl === undefined;
  if (needsInterval && check.interval === undefined) {
    return { message: 'a check needs "interval", the time between two runs', path: [] };
  }
  for (const key of ['interval', 'timeout', 'ttl'] as const) {
    const value = check[key];
    if (value !== undefined && isDuration(value) && toMs(value) <= 0)
      return { message: 'expected a time above 0', path: [key] };
  }
  return undefined;
}

function isDuration(value: string | number): boolean {
  if (typeof value === 'number') return value >= 0;
  try {
    return parseDuration(value) >= 0;
  } catch {
    return false;
  }
}

function toMs(value: string | number): number {
  return typeof value === 'number' ? value / NS_PER_MS : parseDuration(value);
}

/** The frozen check of what `checkSchema` let through. */
export function toCheck(input: CheckInput): CheckDefinition {
  const { ttl, interval, timeout, deregister_critical_service_after: deregisterAfter } = input;
  return Object.freeze(
    withoutUndefined({
      id: nonEmpty(input.id),
      name: nonEmpty(input.name),
      serviceId: nonEmpty(input.service_id),
      notes: nonEmpty(input.notes),
      http: input.http,
      method: nonEmpty(input.method),
      header: input.header === undefined ? undefined : toHeader(input.header),
      body: nonEmpty(input.body),
      tcp: input.tcp,
      ttlMs: ttl === undefined ? undefined : toMs(ttl),
      args: input.args === undefined ? undefined : Object.freeze([...input.args]),
      script: input.script,
      tlsSkipVerify: input.tls_skip_verify,
      tlsServerName: nonEmpty(input.tls_server_name),
      disableRedirects: input.disable_redirects,
      intervalMs: interval === undefined ? undefined : toMs(interval),
      timeoutMs: timeout === undefined ? undefined : toMs(timeout),
      initialStatus: input.status,
      successBeforePassing: input.success_before_passing,
      failuresBeforeWarning: input.failures_before_warning,
      failuresBeforeCritical: input.failures_before_critical,
      deregisterCriticalServiceAfterMs: deregisterAfter === undefined ? undefined : toMs(deregisterAfter),
      outputMaxSize: input.output_max_size === undefined ? undefined : Math.min(MAX_OUTPUT, input.output_max_size),
    }),
  );
}

function toHeader(header: Readonly<Record<string, string | readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(header).map(([name, value]) => [
      name,
      Object.freeze(typeof value === 'string' ? [value] : [...value]),
    ]),
  );
}
