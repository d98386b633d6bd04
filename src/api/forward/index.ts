export { Forwarder, type ForwarderOptions } from './forwarder.ts';
export { FOR_HEADER, NODE_HEADER } from './forward-headers.ts';
export type { LinkStanding, RegionServers, ServerPlace } from './region-servers.ts';
