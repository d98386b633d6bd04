import { isIP } from 'node:net';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import { EMPTY, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import type { ForcedLeaves } from './forced-leaves.ts';
import { changed } from './on-node.ts';

/** Joining and leaving the region (consul-http-api 8). */
export function membershipRoutes(context: ApiContext, forced: ForcedLeaves): V1Route[] {
  return [
    { path: 'agent/join/', methods: { PUT: (request) => join(context, request) }, legacyGet: true },
    {
      path: 'agent/force-leave/',
      methods: { PUT: (request) => forceLeave(context, forced, request) },
      legacyGet: true,
    },
    { path: 'agent/leave', methods: { PUT: (request) => leave(context, request) }, legacyGet: true },
  ];
}

function leave(context: ApiContext, { authority }: V1Request): V1Answer {
  authority.demand('agent', context.firstNode, 'write');
  return { ...EMPTY, afterwards: () => context.leave() };
}

/** There is no gossip to join: an agent is in its own region already, and no other one can be had this way. */
function join(context: ApiContext, { argument, authority }: V1Request): V1Answer {
  authority.demand('agent', context.firstNode, 'write');
  if (argument === '') throw badRequest('Missing address to join');
  const host = hostOf(argument);
  if (isOwn(context, host) || context.forward?.knows(host) === true) return EMPTY;
  throw internal(
    `Failed to join ${argument}: drover’s servers meet in their store, not by gossip, and agents link to the servers that they ` +
      'are started with: --join or retry_join',
  );
}

/** The host of `host`, `host:port` and `[v6]:port`. */
function hostOf(address: string): string {
  const [, literal] = /^\[([^\]]*)\](?::\d*)?$/.exec(address) ?? [];
  if (literal !== undefined) return literal;
  return isIP(address) === 6 ? address : address.replace(/:\d*$/, '').toLowerCase();
}

function isOwn(context: ApiContext, host: string): boolean {
  if (host === 'localhost' || host === '127.0.0.1' || host === '::1') return true;
  if (hostOf(context.httpAddress().replace(/^\w+:\/\//, '')) === host) return true;
  return [...context.nodes.values()].some(
    ({ record }) => record.address === host || record.name.toLowerCase() === host,
  );
}

/** A failed node becomes one that left; with `prune` it is gone. One that is alive shows as leaving, and stays. */
async function forceLeave(context: ApiContext, forced: ForcedLeaves, request: V1Request): Promise<V1Answer> {
  const { argument, author, authority, query } = request;
  authority.demand('operator', '', 'write');
  if (argument === '') throw badRequest('Missing node name');
  const suffix = `.${context.region}`;
  const name = query.has('wan') && argument.endsWith(suffix) ? argument.slice(0, -suffix.length) : argument;
  const node = context.catalog.node(name);
  if (node === undefined || node.record.external) return refuseUnknown(context, argument);
  const { status } = node.alive;
  if (status === 'up') {
    forced.add(node.record.name);
    return EMPTY;
  }
  const { registry } = context;
  if (query.has('prune')) return changed(await registry.deregister({ node: node.record.name }));
  if (status === 'left') return EMPTY;
  const since = new Date(context.clock.wall()).toISOString();
  return changed(
    await registry.setAlive(node.record.name, { status: 'left', since, evidence: `forced to leave by ${author}` }),
  );
}

function refuseUnknown({ legacy }: ApiContext, name: string): V1Answer {
  if (legacy) return EMPTY;
  throw internal(`agent: No node found with name '${name}'`);
}
