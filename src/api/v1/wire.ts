import {
  NODE_MAINTENANCE,
  type CatalogNode,
  type Check,
  type CheckRecord,
  type CheckStatus,
  type Instance,
  type InstanceRecord,
} from '../../registry/index.ts';

/** Consul's names and shapes (consul-http-api 6, 7). Parts of drover that Consul lacks do not show here. */

export function wireNode(node: CatalogNode, region: string): Record<string, unknown> {
  const { record, createRevision, modRevision } = node;
  return {
    ID: record.id,
    Node: record.name,
    Address: record.address,
    Datacenter: record.datacenter === '' ? region : record.datacenter,
    TaggedAddresses: record.taggedAddresses,
    Meta: record.meta,
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}

const PROXY = { Mode: '', MeshGateway: {}, Expose: {} };

/** A service within `/health/service` and `/catalog/node`. */
export function wireService(instance: Instance): Record<string, unknown> {
  const { record, createRevision, modRevision } = instance;
  return {
    ...(record.kind === undefined ? {} : { Kind: record.kind }),
    ID: record.id,
    Service: record.service,
    Tags: record.tags,
    Address: record.address,
    TaggedAddresses: wireTagged(record),
    Meta: record.meta,
    Port: record.port,
    Weights: { Passing: record.weights.passing, Warning: record.weights.warning },
    EnableTagOverride: record.enableTagOverride,
    Proxy: PROXY,
    Connect: {},
    PeerName: '',
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}

/** A row of `/catalog/service`. */
export function wireCatalogService(instance: Instance, region: string): Record<string, unknown> {
  const { node, record, createRevision, modRevision } = instance;
  return {
    ID: node.record.id,
    Node: node.record.name,
    Address: node.record.address,
    Datacenter: node.record.datacenter === '' ? region : node.record.datacenter,
    TaggedAddresses: node.record.taggedAddresses,
    NodeMeta: node.record.meta,
    ServiceKind: record.kind ?? '',
    ServiceID: record.id,
    ServiceName: record.service,
    ServiceTags: record.tags,
    ServiceAddress: record.address,
    ServiceTaggedAddresses: wireTagged(record),
    ServiceWeights: { Passing: record.weights.passing, Warning: record.weights.warning },
    ServiceMeta: record.meta,
    ServicePort: record.port,
    ServiceSocketPath: '',
    ServiceEnableTagOverride: record.enableTagOverride,
    ServiceProxy: PROXY,
    ServiceConnect: {},
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}

function wireTagged(record: InstanceRecord): Record<string, { Address: string; Port: number }> {
  return Object.fromEntries(
    Object.entries(record.taggedAddresses).map(([key, { address, port }]) => [key, { Address: address, Port: port }]),
  );
}

/** Consul knows no "unknown": a check without a result yet is critical there. */
export function wireStatus(status: CheckStatus): Exclude<CheckStatus, 'unknown'> {
  return status === 'unknown' ? 'critical' : status;
}

/** A check as `/health` and `/agent/checks` show it. */
export function wireCheck(
  node: string,
  record: CheckRecord,
  service: InstanceRecord | undefined,
  revisions: { readonly createRevision: number; readonly modRevision: number },
): Record<string, unknown> {
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
    Type: record.type === 'maintenance' ? 'maintenance' : record.type,
    Interval: record.interval,
    Timeout: record.timeout,
    ExposedPort: 0,
    Definition: record.definition,
    CreateIndex: revisions.createRevision,
    ModifyIndex: revisions.modRevision,
  };
}

/** Consul's `serfHealth` of a node, which is drover's liveness. Nodes without an agent have none. */
export function wireSerfHealth(node: CatalogNode): Record<string, unknown> | null {
  if (node.record.external) return null;
  const isUp = node.alive.status === 'up' || node.alive.status === 'suspected';
  const record: CheckRecord = {
    id: 'serfHealth',
    name: 'Serf Health Status',
    serviceId: '',
    status: isUp ? 'passing' : 'critical',
    output: isUp ? 'Agent alive and reachable' : 'Agent not live or unreachable',
    notes: '',
    type: '',
    interval: '',
    timeout: '',
    definition: {},
    since: node.alive.since,
  };
  return wireCheck(node.record.name, record, undefined, node);
}

/** The checks of the node itself, serfHealth first. */
export function nodeChecks(node: CatalogNode): Record<string, unknown>[] {
  const serf = wireSerfHealth(node);
  const own = [...node.checks.values()].map((check) => wireCheck(node.record.name, check.record, undefined, check));
  return serf === null ? own : [serf, ...own];
}

/** The checks of one instance. */
export function instanceChecks(instance: Instance): Record<string, unknown>[] {
  const checks: Check[] = [...instance.checks.values()];
  const { name } = instance.node.record;
  const draining = instance.record.draining === true ? [drainingCheck(instance)] : [];
  return [...checks.map((check) => wireCheck(name, check.record, instance.record, check)), ...draining];
}

/** What Consul's clients see of an instance that drains: a maintenance check (semantics 7). */
function drainingCheck(instance: Instance): Record<string, unknown> {
  const { id } = instance.record;
  const record: CheckRecord = {
    id: `_service_maintenance:${id}`,
    name: 'Service Maintenance Mode',
    serviceId: id,
    status: 'critical',
    output: '',
    notes: 'draining',
    type: 'maintenance',
    interval: '',
    timeout: '',
    definition: {},
    since: '',
  };
  return wireCheck(instance.node.record.name, record, instance.record, instance);
}

/** Consul's word for the worst of some checks: maintenance, critical, warning or passing. */
export function aggregate(checks: readonly CheckRecord[]): string {
  if (checks.some(({ id, status }) => status === 'critical' && isMaintenance(id))) return 'maintenance';
  const statuses = checks.map((check) => wireStatus(check.status));
  return (['critical', 'warning'] as const).find((status) => statuses.includes(status)) ?? 'passing';
}

function isMaintenance(id: string): boolean {
  return id === NODE_MAINTENANCE || id.startsWith('_service_maintenance:');
}
