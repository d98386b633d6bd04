import { randomUUID } from 'node:crypto';
import { type PeerKey, PROTOCOL_VERSION } from '../../link/index.ts';
import { RegionServers } from '../servers/region-servers.ts';
import { reportTo, type RegionOptions, type ServerSelf } from './region-options.ts';
import type { Fed } from './start-feed.ts';
import type { States } from './states.ts';

const NOBODY: ServerSelf = Object.freeze({ version: '', address: '127.0.0.1', place: '' });

/** This server among the region's, under its name. @throws AGENT_SERVER_NAME_TAKEN */
export function startServers(
  { name, server, self = NOBODY, timing, clock, log }: RegionOptions,
  { known }: States,
  { store, feed, duties }: Fed,
  { publicKey: linkKey }: PeerKey,
): Promise<RegionServers> {
  const { version, address, place } = self;
  const incarnation = `${place === '' ? server : place}.${randomUUID()}`;
  const about = { name: server, address, httpPort: 0, version, datacenter: name };
  return RegionServers.start({
    store,
    feed,
    duties,
    known,
    record: { ...about, protocol: PROTOCOL_VERSION, incarnation, linkKey },
    ttlMs: timing.serverLeaseMs,
    clock,
    report: reportTo(log),
  });
}
