import { z } from 'zod';
import { CHECK_FIELDS, checkField, isDuration, toMs } from './check-fields.ts';
import type { CheckDefinition } from './definition.ts';
import { nonEmpty, withoutUndefined } from './plain.ts';
import { validateValue } from './validate.ts';

/** Bytes of a check's output that are kept at most. */
const MAX_OUTPUT = 4_096;

const checkObject = z.strictObject(CHECK_FIELDS).superRefine((check, context) => {
  const problem = problemOf(check);
  if (problem !== undefined) context.addIssue({ code: 'custom', ...problem });
});
export type CheckInput = z.output<typeof checkObject>;

/** A check as files have it: keys in snake_case or in Consul's CapitalCase, durations as text or in ns. */
export const checkSchema = z.preprocess((value) => {
  const entries = canonicalEntries(value);
  return entries === undefined ? value : Object.fromEntries(entries);
}, checkObject);

/** A check's fields under the names of the schema; keys it does not know keep theirs. Undefined for what is no object. */
function canonicalEntries(value: unknown): [string, unknown][] | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return undefined;
  return Object.entries(value).map(([key, inner]) => [checkField(key) ?? key, inner]);
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
  const known = entries.filter(([key]) => Object.hasOwn(CHECK_FIELDS, key));
  return Object.fromEntries(known.filter(([, inner]) => !isNothing(inner)));
}

/** Go's zero values, which clients in other languages send where Go's own leaves the field out. */
function isNothing(value: unknown): boolean {
  return [null, '', 0, '0s'].includes(value as null) || (Array.isArray(value) && value.length === 0);
}

/** The keys that make a check one of a kind, by the kind's name; Docker's runs what `args` or `script` says. */
const KINDS: readonly (readonly [string, (check: CheckInput) => boolean])[] = [
  ['http', ({ http }) => http !== undefined],
  ['tcp', ({ tcp }) => tcp !== undefined],
  ['udp', ({ udp }) => udp !== undefined],
  ['grpc', ({ grpc }) => grpc !== undefined],
  ['h2ping', ({ h2ping }) => h2ping !== undefined],
  ['ttl', ({ ttl }) => ttl !== undefined],
  ['docker_container_id', (check) => check.docker_container_id !== undefined],
  ['args', (check) => check.args !== undefined && check.docker_container_id === undefined],
  ['script', (check) => check.script !== undefined && check.docker_container_id === undefined],
  ['os_service', (check) => check.os_service !== undefined],
  ['alias_service', (check) => check.alias_service !== undefined],
  ['alias_node', (check) => check.alias_node !== undefined && check.alias_service === undefined],
];

interface Problem {
  readonly message: string;
  readonly path: string[];
}

function problemOf(check: CheckInput): Problem | undefined {
  const kinds = KINDS.filter(([, isKind]) => isKind(check)).map(([name]) => name);
  if (kinds.length === 0) {
    const all = 'http, tcp, udp, grpc, h2ping, args, script, docker_container_id, os_service, alias_service or ttl';
    return { message: `a check needs one of ${all}`, path: [] };
  }
  if (kinds.length > 1) return { message: `a check is of one kind, this one has ${kinds.join(' and ')}`, path: [] };
  return problemOfDocker(check) ?? problemOfTimes(check);
}

function problemOfDocker(check: CheckInput): Problem | undefined {
  if (check.docker_container_id === undefined) {
    return check.shell === undefined
      ? undefined
      : { message: '"shell" is for docker_container_id: `script` is run by /bin/sh', path: ['shell'] };
  }
  if (check.args === undefined && check.script === undefined)
    return { message: 'a check in a container needs "args", the program and its arguments', path: [] };
  if (check.args !== undefined && check.script !== undefined)
    return { message: 'a check in a container has args or script, not both', path: ['script'] };
  return undefined;
}

function problemOfTimes(check: CheckInput): Problem | undefined {
  const isAlias = check.alias_service !== undefined || check.alias_node !== undefined;
  if (!isAlias && check.ttl === undefined && check.interval === undefined)
    return { message: 'a check needs "interval", the time between two runs', path: [] };
  for (const key of ['interval', 'timeout', 'ttl'] as const) {
    const value = check[key];
    if (value !== undefined && isDuration(value) && toMs(value) <= 0)
      return { message: 'expected a time above 0', path: [key] };
  }
  return undefined;
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
      tcpUseTls: input.tcp_use_tls,
      udp: input.udp,
      grpc: input.grpc,
      grpcUseTls: input.grpc_use_tls,
      h2ping: input.h2ping,
      h2pingUseTls: input.h2ping_use_tls,
      dockerContainerId: input.docker_container_id,
      shell: nonEmpty(input.shell),
      osService: input.os_service,
      aliasService: input.alias_service,
      aliasNode: input.alias_node,
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
