import type { CatalogNode, Instance, InstanceRecord } from '../../registry/index.ts';

/** Consul's names and shapes (consul-http-api 6, 7). Parts of drover that Consul lacks do not show here. */

export function wireNode(node: CatalogNode, region: string): Record<string, unknown> {
  const { record, createRevision, modRevision } = node;
  return {
    ID: record.id,
    Node: record.name,
    Address: record.address,
    Datacenter: datacenterOf(node, region),
    TaggedAddresses: record.taggedAddresses,
    Meta: record.meta,
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}

function datacenterOf({ record }: CatalogNode, region: string): string {
  return record.datacenter === '' ? region : record.datacenter;
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
    ...(record.socketPath === undefined ? {} : { SocketPath: record.socketPath }),
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
    Datacenter: datacenterOf(node, region),
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
    ServiceSocketPath: record.socketPath ?? '',
    ServiceEnableTagOverride: record.enableTagOverride,
    ServiceProxy: PROXY,
    ServiceConnect: {},
    CreateIndex: createRevision,
    ModifyIndex: modRevision,
  };
}

/** A service's addresses by the network they are for. */
export function wireTagged(record: InstanceRecord): Record<string, { Address: string; Port: number }> {
  return Object.fromEntries(
    Object.entries(record.taggedAddresses).map(([key, { address, port }]) => [key, { Address: address, Port: port }]),
  );
}
