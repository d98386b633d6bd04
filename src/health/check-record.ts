import type { CheckDefinition } from '../definition/index.ts';
import { type Clock, formatGoDuration, systemClock } from '../lib/index.ts';
import type { CheckRecord } from '../registry/index.ts';
import { DEFAULT_INTERVAL_MS } from './cadence.ts';
import { checkKind } from './check-kind.ts';
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

const HIDDEN = '<hidden>';
const SECRET_HEADER = /auth|cookie|token|secret|password|api-?key/i;

/**
 * The record of a check before its first result, with Consul's ids and names: `CheckID` when given, else `service:<id>`
 * for a service's only check and `service:<id>:1` and so on for one of several.
 *
 * @throws HEALTH_INVALID_CHECK
 */
export function checkRecordOf(
  definition: CheckDefinition,
  owner: CheckOwner,
  clock: Pick<Clock, 'wall'> = systemClock,
): CheckRecord {
  const { serviceId = '', serviceName = serviceId, index = 0, count = 1 } = owner;
  const ofService = count > 1 ? `service:${serviceId}:${index + 1}` : `service:${serviceId}`;
  const id = definition.id ?? (serviceId === '' ? (definition.name ?? 'check') : ofService);
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
    interval: kind === 'ttl' ? '' : formatGoDuration(definition.intervalMs || DEFAULT_INTERVAL_MS),
    timeout: definition.timeoutMs === undefined ? '' : formatGoDuration(definition.timeoutMs),
    definition: wireDefinition(definition),
    since: new Date(clock.wall()).toISOString(),
  };
}

/** Consul's `Definition` object. It is public: passwords and secret headers are left out, scripts are not part of it. */
function wireDefinition(definition: CheckDefinition): Record<string, unknown> {
  const { http, tcp, ttlMs, method, header, body, intervalMs, timeoutMs, deregisterCriticalServiceAfterMs } =
    definition;
  const wire: Record<string, unknown> = {
    HTTP: http === undefined ? undefined : showUrl(http),
    Method: http === undefined ? undefined : method,
    Header: http === undefined || header === undefined ? undefined : showHeaders(header),
    Body: http === undefined ? undefined : body,
    TCP: tcp,
    TLSSkipVerify: definition.tlsSkipVerify === true ? true : undefined,
    DisableRedirects: definition.disableRedirects === true ? true : undefined,
    Interval: ttlMs === undefined ? duration(intervalMs || DEFAULT_INTERVAL_MS) : undefined,
    Timeout: duration(timeoutMs),
    TTL: duration(ttlMs),
    DeregisterCriticalServiceAfter: duration(deregisterCriticalServiceAfterMs),
  };
  return Object.fromEntries(Object.entries(wire).filter(([, value]) => value !== undefined));
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
