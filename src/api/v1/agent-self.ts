import { availableParallelism } from 'node:os';
import { CONSUL_VERSION } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import type { LocalNode } from '../local-node.ts';
import type { ForcedLeaves } from './forced-leaves.ts';
import { LAN_PORT, memberOf, WAN_PORT } from './members.ts';
import { leaderAddress, SERVER_PORT, serversOf } from './server-list.ts';

/** `GET /v1/agent/self` (consul-http-api 8): every member is a map, as Go's client demands. */
export function agentSelf(context: ApiContext, node: LocalNode, forced: ForcedLeaves): Record<string, unknown> {
  return {
    Config: configOf(context, node),
    DebugConfig: debugConfigOf(context, node),
    Coord: { Vec: Array.from({ length: 8 }, () => 0), Error: 1.5, Adjustment: 0, Height: 1e-5 },
    Member: memberOf(context, forced, node.record.name, false),
    Stats: statsOf(context, node),
    Meta: node.record.meta,
  };
}

const NS_PER_MS = 1e6;

function configOf(context: ApiContext, { record }: LocalNode): object {
  return {
    Datacenter: context.region,
    PrimaryDatacenter: '',
    NodeName: record.name,
    NodeID: record.id,
    Revision: context.version,
    Server: context.isServer,
    Version: CONSUL_VERSION,
    BuildDate: '2025-01-01T00:00:00Z',
    SessionTTLMin: context.sessionWrites.ttlMinMs * NS_PER_MS,
    // Clients of before 1.0 look for the whole configuration here.
    ...(context.legacy ? { AdvertiseAddr: record.address, ClientAddr: context.httpAddress() } : {}),
  };
}

function debugConfigOf(context: ApiContext, { record }: LocalNode): object {
  const dns = context.dnsAddress();
  return {
    ACLsEnabled: context.access.isEnabled,
    AdvertiseAddrLAN: record.address,
    AdvertiseAddrWAN: record.address,
    ConnectEnabled: false,
    DNSAddrs: dns === null ? [] : [`tcp://${dns}`, `udp://${dns}`],
    Datacenter: context.region,
    DevMode: context.pretty,
    GRPCPort: -1,
    GRPCTLSPort: -1,
    HTTPAddrs: [context.httpAddress().replace(/^http:/, 'tcp:')],
    HTTPSAddrs: [],
    NodeID: record.id,
    NodeMeta: record.meta,
    NodeName: record.name,
    Revision: context.version,
    SerfAdvertiseAddrLAN: `tcp://${record.address}:${LAN_PORT}`,
    SerfAdvertiseAddrWAN: `tcp://${record.address}:${WAN_PORT}`,
    SerfPortLAN: LAN_PORT,
    SerfPortWAN: WAN_PORT,
    ServerMode: context.isServer,
    ServerPort: SERVER_PORT,
    UIConfig: { Enabled: false },
    Version: CONSUL_VERSION,
  };
}

function statsOf(context: ApiContext, node: LocalNode): object {
  const { version, feed, catalog, isServer } = context;
  const servers = serversOf(context);
  const leader = leaderAddress(context);
  const isLeading = servers.some((one) => one.isSelf && one.isLeader);
  const revision = String(feed.revision);
  const members = isServer ? catalog.nodes().filter((one) => !one.record.external).length : context.nodes.size;
  return {
    agent: {
      check_monitors: String(node.checks().length),
      check_ttls: String(node.checks().filter((check) => check.type === 'ttl').length),
      checks: String(node.checks().length),
      services: String(node.services().length),
    },
    build: { prerelease: '', revision: version, version: CONSUL_VERSION, version_metadata: '' },
    consul: {
      acl: context.access.isEnabled ? 'enabled' : 'disabled',
      bootstrap: String(isServer && servers.length === 1),
      known_datacenters: '1',
      known_servers: isServer ? '1' : String(context.forward?.standing().known ?? 0),
      leader: String(leader !== ''),
      leader_addr: leader,
      server: String(isServer),
    },
    raft: isServer
      ? {
          applied_index: revision,
          commit_index: revision,
          last_log_index: revision,
          state: isLeading ? 'Leader' : 'Follower',
        }
      : {},
    runtime: {
      arch: process.arch,
      cpu_count: String(availableParallelism()),
      goroutines: String(process.getActiveResourcesInfo().length),
      os: process.platform,
      version: process.version,
    },
    serf_lan: { members: String(members) },
    ...(isServer ? { store: storeStats(context) } : {}),
  };
}

/** What an operator should know of the store; every value is a text, as in all of `Stats`. */
function storeStats({ store }: ApiContext): Record<string, string> {
  const { engine, version, revision, leaderKnown, full, failure, warning } = store.status();
  return {
    engine,
    version,
    revision: String(revision),
    leader_known: String(leaderKnown),
    full: String(full),
    ...(failure === undefined ? {} : { failure }),
    ...(warning === undefined ? {} : { warning }),
  };
}
