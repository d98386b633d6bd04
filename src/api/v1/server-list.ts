import type { ApiContext } from '../context.ts';

/** Consul's port of servers, which stands in their addresses; drover has nothing there. */
export const SERVER_PORT = 8_300;

/** A server of the region, as Consul's endpoints show one. */
export interface ListedServer {
  /** Its node's. */
  readonly id: string;
  readonly name: string;
  /** `10.0.0.1:8300`. */
  readonly address: string;
  readonly isSelf: boolean;
  readonly isLeader: boolean;
  /** ISO time. */
  readonly since: string;
}

/** The servers that run, in order of name; none where this agent is no server. */
export function serversOf(context: ApiContext): ListedServer[] {
  if (!context.isServer) return [];
  const listed = context.servers?.list() ?? [];
  const names = listed.length === 0 ? [context.firstNode] : listed.map(({ name }) => name);
  const leader = leaderName(context, names);
  return names.map((name) => {
    const node = context.catalog.node(name);
    const own = context.nodes.get(name)?.record;
    const said = listed.find((server) => server.name === name)?.address;
    return {
      id: node?.record.id ?? own?.id ?? '',
      name,
      address: withPort(own?.address ?? node?.record.address ?? said ?? '127.0.0.1'),
      isSelf: name === context.firstNode,
      isLeader: name === leader,
      since: node?.alive.since ?? '',
    };
  });
}

/** The address of the server that leads, in Consul's form; empty while there is none. */
export function leaderAddress(context: ApiContext): string {
  return serversOf(context).find(({ isLeader }) => isLeader)?.address ?? '';
}

/** One that is alone leads as long as its store takes writes; of several, whoever has the leader's duty. */
function leaderName({ store, servers, firstNode }: ApiContext, names: readonly string[]): string | null {
  const { leaderKnown, engine } = store.status();
  if (!leaderKnown) return null;
  const isAlone = names.length === 1 && engine !== 'etcd';
  return isAlone ? firstNode : (servers?.leader()?.name ?? null);
}

function withPort(address: string): string {
  return `${address.includes(':') ? `[${address}]` : address}:${SERVER_PORT}`;
}
