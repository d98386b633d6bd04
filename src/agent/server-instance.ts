import { CONSUL_VERSION } from '../lib/index.ts';
import type { InstanceRecord } from '../registry/index.ts';

const SERVER_PORT = 8_300;

/** The region's own service, which every server registers on its node as Consul's servers do. */
export function serverInstance(): InstanceRecord {
  return {
    id: 'consul',
    service: 'consul',
    tags: [],
    address: '',
    port: SERVER_PORT,
    meta: { version: CONSUL_VERSION },
    weights: { passing: 1, warning: 1 },
    enableTagOverride: false,
    taggedAddresses: {},
  };
}
