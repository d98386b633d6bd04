import { createHash } from 'node:crypto';
import { CONSUL_VERSION } from '../lib/index.ts';
import type { NodeRecord } from '../registry/index.ts';
import type { NodeConfig } from './config/config.ts';

/** What the region is told of a node: its configuration in the registry's form. */
export function nodeRecordOf(
  config: NodeConfig,
  datacenter: string,
  agentVersion: string,
): Omit<NodeRecord, 'external'> {
  return {
    name: config.name,
    id: config.id ?? stableUuid(`${datacenter}/${config.name}`),
    address: config.address,
    taggedAddresses: { lan: config.address, lan_ipv4: config.address, wan: config.address, wan_ipv4: config.address },
    meta: { 'consul-network-segment': '', 'consul-version': CONSUL_VERSION, ...config.meta },
    datacenter,
    federation: config.federation,
    runs: config.runs,
    balancer: config.balancer === null ? null : { address: config.balancer.address },
    consumers: [
      ...(config.environment === null ? [] : (['environment'] as const)),
      ...(config.balancer === null ? [] : (['balancer'] as const)),
      ...(config.provision === null ? [] : (['listener'] as const)),
    ],
    ...(config.provision?.membership === true ? { membership: true } : {}),
    ...(config.provision?.group == null ? {} : { provisionGroup: config.provision.group }),
    agentVersion,
  };
}

/** A UUID that is always the same for the same text (RFC 9562, version 8), so that a node keeps its identity. */
function stableUuid(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
