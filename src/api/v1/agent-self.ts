import type { CatalogNode } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import type { LocalNode } from '../local-node.ts';

/** The version of Consul whose behaviour `/v1` has; clients parse it. */
export const CONSUL_VERSION = '1.22.0';
const SERVER_PORT = 8_300;
const LAN_PORT = 8_301;
const WAN_PORT = 8_302;
const ALIVE = 1;
const LEFT = 3;
const FAILED = 4;

/** `GET /v1/agent/self` (consul-http-api 8). */
export function agentSelf(context: ApiContext, node: LocalNode): Record<string, unknown> {
  const { record } = node;
  return {
    Config: {
      Datacenter: context.region,
      PrimaryDatacenter: '',
      NodeName: record.name,
      NodeID: record.id,
      Revision: context.version,
      Server: true,
      Version: CONSUL_VERSION,
      BuildDate: '2025-01-01T00:00:00Z',
      SessionTTLMin: 0,
    },
    DebugConfig: { SerfAdvertiseAddrLAN: `tcp://${record.address}:${LAN_PORT}`, GRPCPort: -1, ConnectEnabled: false },
    Coord: { Vec: Array.from({ length: 8 }, () => 0), Error: 1.5, Adjustment: 0, Height: 1e-5 },
    Member: memberOf(context, record.name, false),
    Stats: {
      agent: { check_monitors: String(node.checks().length), services: String(node.services().length) },
      build: { revision: context.version, version: CONSUL_VERSION },
      consul: {
        leader: String(context.store.status().leaderKnown),
        leader_addr: leaderAddress(context),
        server: 'true',
        known_datacenters: '1',
      },
      raft: { applied_index: String(context.feed.revision), commit_index: String(context.feed.revision) },
      runtime: { arch: process.arch, os: process.platform, version: process.version },
      serf_lan: { members: String(context.catalog.nodes().length) },
    },
    Meta: record.meta,
  };
}

/** `GET /v1/agent/members`: every node that an agent vouches for. */
export function members(context: ApiContext, wan: boolean): Member[] {
  const all = context.catalog.nodes().filter((node) => !node.record.external);
  const shown = wan ? all.filter((node) => node.record.name === context.firstNode) : all;
  return shown.map((node) => memberOf(context, node.record.name, wan));
}

/** The address of the server that leads, in Consul's form; empty while there is none. */
export function leaderAddress(context: ApiContext): string {
  return context.store.status().leaderKnown ? serverAddress(context) : '';
}

/** The address of this server in Consul's form. */
export function serverAddress(context: ApiContext): string {
  const address = context.nodes.get(context.firstNode)?.record.address ?? '127.0.0.1';
  return `${address.includes(':') ? `[${address}]` : address}:${SERVER_PORT}`;
}

/** A node in Consul's gossip. */
interface Member {
  readonly Name: string;
  readonly [field: string]: unknown;
}

function memberOf(context: ApiContext, name: string, wan: boolean): Member {
  const node = context.catalog.node(name);
  const isServer = name === context.firstNode;
  return {
    Name: wan ? `${name}.${context.region}` : name,
    Addr: node?.record.address ?? '',
    Port: wan ? WAN_PORT : LAN_PORT,
    Tags: {
      role: isServer ? 'consul' : 'node',
      dc: context.region,
      id: node?.record.id ?? '',
      ...(isServer ? { port: String(SERVER_PORT), raft_vsn: '3', bootstrap: '1' } : {}),
      build: `${CONSUL_VERSION}:`,
      vsn: '2',
      vsn_min: '2',
      vsn_max: '3',
      acls: '0',
    },
    Status: statusOf(node),
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}

function statusOf(node: CatalogNode | undefined): number {
  if (node === undefined || node.alive.status === 'left') return LEFT;
  return node.alive.status === 'down' ? FAILED : ALIVE;
}
