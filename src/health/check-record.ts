import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, formatGoDuration, systemClock } from '../lib/index.ts';
import type { CheckRecord } from '../registry/index.ts';
import { DEFAULT_INTERVAL_MS } from './cadence.ts';
import { type CheckKind, checkKind } from './check-kind.ts';
import { showUrl } from './http-ask.ts';

/** Whose check it is: `index` of `count` checks of a service (from 0), or of the node when there is no service. */
export interface CheckOwner {
  readonly serviceId?: string;
  readonly serviceName?: string;
  readonly index?: number;
  readonly count?: number;
}

/** What names a check; a `CheckRecord` is one. */
export type CheckBasics = Pick<CheckRecord, 'id' | 'name' | 'serviceId' | 'notes'>;

/** Kinds that are told, not run. */
const UNTIMED: ReadonlySet<CheckKind> = new Set(['ttl', 'alias']);
const HIDDEN = '<hidden>';
const SECRET_HEADER = /auth|cookie|token|secret|password|api-?key/i;

/**
 * Consul's id of a check: `CheckID` when given, else `service:<id>` for a service's only check and `service:<id>:1` and so on
 * for one of several; its name when it is the node's.
 */
export function checkIdOf({ id, name }: Pick<CheckDefinition, 'id' | 'name'>, owner: CheckOwner): string {
  const { serviceId = '', index = 0, count = 1 } = owner;
  if (id !== undefined) return id;
  if (serviceId === '') return name ?? 'check';
  return count > 1 ? `service:${serviceId}:${index + 1}` : `service:${serviceId}`;
}

/**
 * The record of a check before its first result, with Consul's ids and names.
 *
 * @throws HEALTH_INVALID_CHECK
 */
export function checkRecordOf(
  definition: CheckDefinition,
  owner: CheckOwner,
  clock: Pick<Clock, 'wall'> = systemClock,
): CheckRecord {
  const { serviceId = '', serviceName = serviceId } = owner;
  const id = checkIdOf(definition, owner);
  const name = definition.name ?? (serviceId === '' ? id : `Service '${serviceName}' check`);
  return newRecord({ id, name, serviceId, notes: definition.notes ?? '' }, definition, clock);
}

/** A record in its initial status. */
export function newRecord(basics: CheckBasics, definition: CheckDefinition, clock: Pick<Clock, 'wall'>): CheckRecord {
  const kind = checkKind(definition);
  const { id, name, serviceId, notes } = basics;
  return {
    id,
    name,
    serviceId,
    notes,
    status: definition.initialStatus ?? 'unknown',
    output: '',
    type: kind,
    interval: UNTIMED.has(kind) ? '' : formatGoDuration(definition.intervalMs || DEFAULT_INTERVAL_MS),
    timeout: definition.timeoutMs === undefined ? '' : formatGoDuration(definition.timeoutMs),
    definition: wireDefinition(definition),
    since: new Date(clock.wall()).toISOString(),
  };
}

/** Consul's `Definition` object. It is public: passwords and secret headers are left out, scripts are not part of it. */
function wireDefinition(definition: CheckDefinition): Record<string, unknown> {
  const { ttlMs, intervalMs, timeoutMs, deregisterCriticalServiceAfterMs } = definition;
  const isTimed = !UNTIMED.has(checkKind(definition));
  const wire: Record<string, unknown> = {
    ...httpDefinition(definition),
    ...targetDefinition(definition),
    TLSServerName: definition.tlsServerName,
    TLSSkipVerify: definition.tlsSkipVerify === true ? true : undefined,
    Interval: isTimed ? duration(intervalMs || DEFAULT_INTERVAL_MS) : undefined,
    Timeout: duration(timeoutMs),
    TTL: duration(ttlMs),
    DeregisterCriticalServiceAfter: duration(deregisterCriticalServiceAfterMs),
  };
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined));
}

function httpDefinition({ http, method, header, body, disableRedirects }: CheckDefinition): Record<string, unknown> {
  if (http === undefined) return {};
  return {
    HTTP: showUrl(http),
    Method: method,
    Header: header === undefined ? undefined : showHeaders(header),
    Body: body,
    DisableRedirects: disableRedirects === true ? true : undefined,
  };
}

function targetDefinition(definition: CheckDefinition): Record<string, unknown> {
  const { grpc, grpcUseTls, h2ping, h2pingUseTls = true } = definition;
  return {
    TCP: definition.tcp,
    TCPUseTLS: definition.tcpUseTls === true ? true : undefined,
    UDP: definition.udp,
    GRPC: grpc,
    GRPCUseTLS: grpc === undefined ? undefined : grpcUseTls,
    H2PING: h2ping,
    H2PingUseTLS: h2ping === undefined ? undefined : h2pingUseTls,
    DockerContainerID: definition.dockerContainerId,
    Shell: definition.shell,
    OSService: definition.osService,
    AliasNode: definition.aliasNode,
    AliasService: definition.aliasService,
  };
}

function duration(ms: number | undefined): string | undefined {
  return ms === undefined ? undefined : formatGoDuration(ms);
}

function showHeaders(header: Readonly<Record<string, readonly string[]>>): Record<string, readonly string[]> {
  return Object.fromEntries(
    Object.entries(header).map(([name, values]) => [
      name,
      SECRET_HEADER.test(name) ? values.map(() => HIDDEN) : values,
    ]),
  );
}
