import { CONSUL_VERSION } from '../../lib/index.ts';
import type { CatalogNode } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import type { ForcedLeaves } from './forced-leaves.ts';
import { SERVER_PORT, serversOf } from './server-list.ts';

export const LAN_PORT = 8_301;
export const WAN_PORT = 8_302;
const ALIVE = 1;
const LEAVING = 2;
const LEFT = 3;
const FAILED = 4;

/** A node in Consul's gossip. */
export interface Member {
  readonly Name: string;
  readonly [field: string]: unknown;
}

/** `GET /v1/agent/members`: every node that an agent vouches for; without a region those that this agent hosts. */
export function members(context: ApiContext, forced: ForcedLeaves, wan: boolean): Member[] {
  const known = context.catalog.nodes().filter((node) => !node.record.external);
  const names = context.isServer ? known.map((node) => node.record.name) : [...context.nodes.keys()];
  const servers = new Set(serversOf(context).map(({ name }) => name));
  const shown = wan ? names.filter((name) => servers.has(name)) : names;
  return shown.map((name) => memberOf(context, forced, name, wan));
}

export function memberOf(context: ApiContext, forced: ForcedLeaves, name: string, wan: boolean): Member {
  const node = context.catalog.node(name);
  const record = node?.record ?? context.nodes.get(name)?.record;
  const servers = serversOf(context);
  const isServer = servers.some((one) => one.name === name);
  return {
    Name: wan ? `${name}.${context.region}` : name,
    Addr: record?.address ?? '',
    Port: wan ? WAN_PORT : LAN_PORT,
    Tags: {
      acls: context.access.isEnabled ? '1' : '0',
      build: `${CONSUL_VERSION}:`,
      dc: context.region,
      ...(isServer ? { ...(servers.length === 1 ? { bootstrap: '1' } : {}), ...SERVER_TAGS } : {}),
      id: record?.id ?? '',
      role: isServer ? 'consul' : 'node',
      segment: '',
      vsn: '2',
      vsn_max: '3',
      vsn_min: '2',
    },
    Status: isApart(context, name) ? ALIVE : statusOf(node, forced),
    ProtocolMin: 1,
    ProtocolMax: 5,
    ProtocolCur: 2,
    DelegateMin: 2,
    DelegateMax: 5,
    DelegateCur: 4,
  };
}

const SERVER_TAGS = {
  ft_fs: '1',
  ft_si: '1',
  port: String(SERVER_PORT),
  raft_vsn: '3',
  wan_join_port: String(WAN_PORT),
} as const;

/** An agent without a region knows of its own nodes that they live. */
function isApart({ isServer, nodes }: ApiContext, name: string): boolean {
  return !isServer && nodes.has(name);
}

function statusOf(node: CatalogNode | undefined, forced: ForcedLeaves): number {
  if (node === undefined || node.alive.status === 'left') return LEFT;
  if (node.alive.status === 'down') return FAILED;
  return forced.has(node.record.name) ? LEAVING : ALIVE;
}
