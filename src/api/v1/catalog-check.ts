import { formatGoDuration } from '../../lib/index.ts';
import type { CheckRecord, CheckStatus } from '../../registry/index.ts';
import { badRequest, internal } from '../errors.ts';
import { foldedObject, objectIn, textIn, type Folded } from '../fields.ts';
import { checkedName } from '../checked-name.ts';
import { checkDuration } from '../wire-check.ts';

const MAX_OUTPUT = 4_096;
const STATUSES: readonly string[] = ['passing', 'warning', 'critical'];

/** Consul's `Definition` of a check by its folded names: what else a client sends there is left out. */
const DEFINITION: ReadonlyMap<string, string> = new Map(
  `HTTP TCP TCPUseTLS UDP GRPC GRPCUseTLS H2PING H2PingUseTLS Method Body Header Interval Timeout TTL TLSServerName TLSSkipVerify
   DisableRedirects DockerContainerID Shell OSService AliasNode AliasService OutputMaxSize
   IntervalDuration TimeoutDuration DeregisterCriticalServiceAfter DeregisterCriticalServiceAfterDuration`
    .split(/\s+/)
    .map((name) => [name.toLowerCase(), name]),
);

const NS_PER_MS = 1_000_000;
const DURATIONS: readonly string[] = [...DEFINITION.keys()].filter((key) =>
  /^(?:interval|timeout|ttl|dereg)/.test(key),
);

/** The node that is registered, and when. */
export interface CatalogCheckOwner {
  readonly node: string;
  readonly nowMs: number;
}

/** A check as `/catalog/register` gives it: what it says is taken as it is, nobody runs it. */
export function parseCatalogCheck(value: unknown, owner: CatalogCheckOwner): CheckRecord {
  const check = foldedObject(value, 'Check');
  const node = textIn(check, 'node');
  if (node !== '' && node !== owner.node) throw badRequest(`the check belongs to node "${node}", not "${owner.node}"`);
  const name = textIn(check, 'name');
  const id = textIn(check, 'checkid') || name;
  if (id === '') throw internal('Must provide a check ID or name');
  checkedName(id, 'the id of a check');
  const status = textIn(check, 'status') || 'critical';
  if (!STATUSES.includes(status)) throw badRequest(`Invalid check status: '${status}'`);
  return {
    id,
    name: name || id,
    serviceId: textIn(check, 'serviceid'),
    status: status as CheckStatus,
    output: textIn(check, 'output').slice(0, MAX_OUTPUT),
    notes: textIn(check, 'notes'),
    type: textIn(check, 'type'),
    interval: textIn(check, 'interval'),
    timeout: textIn(check, 'timeout'),
    definition: definitionOf(check),
    since: new Date(owner.nowMs).toISOString(),
  };
}

function definitionOf(check: Folded): Record<string, unknown> {
  const given = foldedObject(objectIn(check, 'definition') ?? {}, 'Definition');
  for (const key of DURATIONS) checkDuration(given, key);
  const known = Object.entries(given).flatMap(([key, value]): [string, unknown][] => {
    const name = DEFINITION.get(key);
    return name === undefined ? [] : [[name, key === 'header' ? headerOf(value) : plainOf(name, value)]];
  });
  return Object.fromEntries(known);
}

function plainOf(name: string, value: unknown): string | number | boolean {
  // A duration as a number is of nanoseconds, and shown as text.
  if (typeof value === 'number' && DURATIONS.includes(name.toLowerCase())) return formatGoDuration(value / NS_PER_MS);
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') return value;
  throw badRequest(`Request decode failed: Definition.${name}: expected a plain value`);
}

function headerOf(value: unknown): Record<string, readonly string[]> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw badHeader();
  const isTexts = (one: unknown): one is string[] =>
    Array.isArray(one) && one.every((text) => typeof text === 'string');
  return Object.fromEntries(
    Object.entries(value).map(([name, values]) => {
      if (!isTexts(values)) throw badHeader();
      return [name, values];
    }),
  );
}

function badHeader(): Error {
  return badRequest('Request decode failed: Definition.Header: expected a map of header to list of values');
}
