import {
  isGone,
  isOut,
  NODE_MAINTENANCE,
  sayOut,
  serviceMaintenance,
  type AliveRecord,
  type CatalogNode,
  type CheckRecord,
  type CheckStatus,
  type Instance,
  type InstanceRecord,
} from '../../registry/index.ts';

/** A check as `/health` and `/agent/checks` show it. */
export interface WireCheck {
  readonly Node: string;
  readonly CheckID: string;
  readonly Name: string;
  readonly Status: Exclude<CheckStatus, 'unknown'>;
  readonly Notes: string;
  readonly Output: string;
  readonly ServiceID: string;
  readonly ServiceName: string;
  readonly ServiceTags: readonly string[];
  readonly Type: string;
  readonly Interval: string;
  readonly Timeout: string;
  readonly ExposedPort: number;
  readonly Definition: Readonly<Record<string, unknown>>;
  readonly CreateIndex: number;
  readonly ModifyIndex: number;
}

interface Revisions {
  readonly createRevision: number;
  readonly modRevision: number;
}

/** Consul knows no "unknown": a check without a result yet is critical there. */
export function wireStatus(status: CheckStatus): WireCheck['Status'] {
  return status === 'unknown' ? 'critical' : status;
}

/** A check in Consul's form; `service` is what it checks, undefined for a check of the node. */
export function wireCheck(
  node: string,
  record: CheckRecord,
  service: InstanceRecord | undefined,
  { createRevision, modRevision }: Revisions,
): WireCheck {
  return {
    Node: node,
    CheckID: record.id,
    Name: record.name,
    Status: wireStatus(record.status),
    Notes: record.notes,
    Output: record.output,
    ServiceID: record.serviceId,
    ServiceName: service?.service ?? '',
    ServiceTags: service?.tags ?? [],
    Type: record.type,
    Interval: record.interval,
    Timeout: record.timeout,
    ExposedPort: 0,
    Definition: record.definition,
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}

/** The checks of the node itself, serfHealth first. */
export function nodeChecks(node: CatalogNode): WireCheck[] {
  const { name, external } = node.record;
  const own = [...node.checks.values()].map((check) => wireCheck(name, check.record, undefined, check));
  // Of a node that was registered from outside no agent says that it lives.
  return external ? own : [serfHealth(node), ...own];
}

/**
 * The checks of one instance; one that drains shows the maintenance check that Consul's clients know (semantics 7), and one that
 * is lost, though something of its node answers, a check that says so.
 */
export function instanceChecks(instance: Instance): WireCheck[] {
  const { node, record } = instance;
  const checks = [...instance.checks.values()].map((check) => wireCheck(node.record.name, check.record, record, check));
  const isShown = instance.checks.has(serviceMaintenance(record.id));
  if (record.draining === true && !isShown) checks.push(drainingCheck(instance));
  if (isOut(instance) && !isGone(node.alive)) checks.push(lostCheck(instance));
  return checks;
}

const PLAIN: Pick<CheckRecord, 'notes' | 'type' | 'interval' | 'timeout' | 'definition' | 'since'> = Object.freeze({
  notes: '',
  type: '',
  interval: '',
  timeout: '',
  definition: {},
  since: '',
});

/** Consul's `serfHealth` of a node, which is drover's liveness. */
function serfHealth(node: CatalogNode): WireCheck {
  const isUp = !isGone(node.alive);
  const record: CheckRecord = {
    ...PLAIN,
    id: 'serfHealth',
    name: 'Serf Health Status',
    serviceId: '',
    status: isUp ? 'passing' : 'critical',
    output: outputOf(node.alive),
  };
  return wireCheck(node.record.name, record, undefined, node);
}

/** Of a node whose agent is gone though its services answer, both is said. */
function outputOf(alive: AliveRecord): string {
  if (isGone(alive)) return 'Agent not live or unreachable';
  return alive.status === 'down' ? 'Agent not live or unreachable, its services answer' : 'Agent alive and reachable';
}

function lostCheck(instance: Instance): WireCheck {
  const { node, record } = instance;
  const check: CheckRecord = {
    ...PLAIN,
    id: `_suspected:${record.id}`,
    name: 'Probes of a suspected node',
    serviceId: record.id,
    status: 'critical',
    output: sayOut(instance),
    type: 'tcp',
  };
  return wireCheck(node.record.name, check, record, instance);
}

function drainingCheck(instance: Instance): WireCheck {
  const { node, record } = instance;
  const check: CheckRecord = {
    ...PLAIN,
    id: serviceMaintenance(record.id),
    name: 'Service Maintenance Mode',
    serviceId: record.id,
    status: 'critical',
    output: '',
    notes: 'draining',
    type: 'maintenance',
  };
  return wireCheck(node.record.name, check, record, instance);
}

/** Consul's word for the worst of some checks: maintenance, critical, warning or passing; passing for none. */
export function aggregate(checks: readonly Pick<CheckRecord, 'id' | 'status'>[]): Aggregate {
  if (checks.some(({ id, status }) => status === 'critical' && isMaintenance(id))) return 'maintenance';
  const statuses = checks.map((check) => wireStatus(check.status));
  return (['critical', 'warning'] as const).find((status) => statuses.includes(status)) ?? 'passing';
}

/** Health of a service in one word. */
export type Aggregate = 'maintenance' | 'critical' | 'warning' | 'passing';

function isMaintenance(id: string): boolean {
  return id === NODE_MAINTENANCE || id.startsWith(serviceMaintenance(''));
}
