import { messageOf } from '../../lib/index.ts';
import { CONSUL_VERSION } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import { internal } from '../errors.ts';
import { agentSelf } from './agent-self.ts';
import { agentCheckRoutes } from './agent-checks.ts';
import { agentServiceRoutes } from './agent-services.ts';
import { hostFacts } from './agent-host.ts';
import { membershipRoutes } from './agent-membership.ts';
import { monitor } from './agent-monitor.ts';
import { filterRows } from './answer-rows.ts';
import { EMPTY, json, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { ForcedLeaves } from './forced-leaves.ts';
import { members } from './members.ts';
import { changed, enableOf, onNode } from './on-node.ts';
import { MEMBER_SHAPE } from './row-shapes.ts';

/** The agent (consul-http-api 8): its first node, or that of `?node=`. */
export function agentRoutes(context: ApiContext): V1Route[] {
  const forced = new ForcedLeaves(context.clock);
  const self = onNode(context, (node, { authority }) => {
    authority.demand('agent', node.record.name, 'read');
    return json(agentSelf(context, node, forced));
  });
  const maintenance = onNode(context, async (node, { authority, query }) => {
    authority.demand('node', node.record.name, 'write');
    return changed(await node.setMaintenance(null, enableOf(query), query.get('reason') ?? ''));
  });
  return [
    ...agentServiceRoutes(context),
    ...agentCheckRoutes(context),
    { path: 'agent/self', methods: { GET: self } },
    { path: 'agent/members', methods: { GET: (request) => membersSeen(context, forced, request) } },
    { path: 'agent/version', methods: { GET: (request) => versionFor(context, request) } },
    { path: 'agent/maintenance', methods: { PUT: maintenance }, legacyGet: true },
    { path: 'agent/reload', methods: { PUT: (request) => reload(context, request) } },
    {
      path: 'agent/host',
      methods: {
        GET: ({ authority }) => {
          authority.demand('operator', '', 'read');
          return hostFacts(context);
        },
      },
    },
    {
      path: 'agent/monitor',
      methods: {
        GET: (request) => {
          request.authority.demand('agent', context.firstNode, 'read');
          return monitor(context, request);
        },
      },
    },
    ...membershipRoutes(context, forced),
  ];
}

function membersSeen(context: ApiContext, forced: ForcedLeaves, { authority, query }: V1Request): V1Answer {
  const isWan = isWide(query.get('wan'));
  const nodeOf = (name: string): string => (isWan ? name.slice(0, -1 - context.region.length) : name);
  const seen = members(context, forced, isWan).filter(({ Name }) => authority.allows('node', nodeOf(Name), 'read'));
  return json(filterRows(seen, query.get('filter'), MEMBER_SHAPE, (member) => member));
}

function versionFor({ firstNode }: ApiContext, { authority }: V1Request): V1Answer {
  authority.demand('agent', firstNode, 'read');
  return json({ SHA: '', BuildDate: '2025-01-01T00:00:00Z', HumanVersion: CONSUL_VERSION, FIPS: '' });
}

/** Go's clients send `wan=1`. */
function isWide(wan: string | null): boolean {
  return wan !== null && wan !== '';
}

/** Everything wrong with the configuration is a 500 in Consul, with what it is. */
async function reload(context: ApiContext, { authority }: V1Request): Promise<V1Answer> {
  authority.demand('agent', context.firstNode, 'write');
  try {
    await context.reload();
  } catch (error) {
    throw internal.with({ cause: error }, messageOf(error));
  }
  return EMPTY;
}
