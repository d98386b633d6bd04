import { CONSUL_VERSION } from '../../lib/index.ts';
import type { CatalogNode } from '../../registry/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import { foldedObject } from '../fields.ts';
import { serverAddress } from './agent-self.ts';
import { bodyJson, json, type V1Answer, type V1Handler, type V1Request, type V1Route } from './exchange.ts';

/**
 * What Consul tells its operators of raft, autopilot and gossip (consul-http-api 10). drover has none of them: the answers
 * are those of a single server that leads, in Consul's form, so that tools that only look are content.
 */
export function operatorRoutes(context: ApiContext): V1Route[] {
  const reads = (answer: () => unknown): V1Handler => guarded('read', () => json(answer()));
  return [
    { path: 'operator/raft/configuration', methods: { GET: reads(() => raftConfiguration(context)) } },
    { path: 'operator/raft/peer', methods: { DELETE: guarded('write', (request) => removePeer(context, request)) } },
    { path: 'operator/raft/transfer-leader', methods: { PUT: guarded('write', alone), POST: guarded('write', alone) } },
    {
      path: 'operator/autopilot/configuration',
      methods: { GET: reads(() => AUTOPILOT), PUT: guarded('write', configure) },
    },
    { path: 'operator/autopilot/health', methods: { GET: guarded('read', () => health(context)) } },
    { path: 'operator/autopilot/state', methods: { GET: reads(() => autopilotState(context)) } },
    { path: 'operator/usage', methods: { GET: reads(() => usage(context)) } },
    { path: 'operator/utilization', methods: { GET: reads(() => utilization(context)) } },
    { path: 'operator/keyring', methods: keyring(context) },
  ];
}

function guarded(level: 'read' | 'write', handle: V1Handler): V1Handler {
  return (request) => {
    request.authority.demand('operator', '', level);
    return handle(request);
  };
}

function raftConfiguration(context: ApiContext): unknown {
  const { id, name } = thisServer(context);
  const server = {
    ID: id,
    Node: name,
    Address: serverAddress(context),
    Leader: isLeading(context),
    ProtocolVersion: '3',
    LastIndex: context.feed.revision,
    Voter: true,
  };
  return { Servers: [server], Index: 1 };
}

function removePeer(context: ApiContext, { query }: V1Request): V1Answer {
  const [id, address] = [query.get('id') ?? '', query.get('address') ?? ''];
  if (id === '' && address === '')
    throw badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  if (id !== '' && address !== '') throw badRequest('Must specify only one of ?id or ?address');
  const isThis = id === thisServer(context).id || address === serverAddress(context);
  const what = id === '' ? `address ${JSON.stringify(address)}` : `id ${JSON.stringify(id)}`;
  throw internal(isThis ? 'the only server cannot be removed' : `${what} was not found in the Raft configuration`);
}

const alone: V1Handler = () => {
  throw internal('cannot find peer: there is one server');
};

const AUTOPILOT = Object.freeze({
  CleanupDeadServers: true,
  LastContactThreshold: '200ms',
  MaxTrailingLogs: 250,
  MinQuorum: 0,
  ServerStabilizationTime: '10s',
  RedundancyZoneTag: '',
  DisableUpgradeMigration: false,
  UpgradeVersionTag: '',
  CreateIndex: 1,
  ModifyIndex: 1,
});

/** There is nothing to configure; with `cas` another index than there is says false, as Consul's. */
const configure: V1Handler = (request) => {
  foldedObject(bodyJson(request), 'body');
  const cas = request.query.get('cas');
  if (cas !== null && !/^\d{1,20}$/.test(cas)) throw badRequest(`Error parsing cas value: ${JSON.stringify(cas)}`);
  return json(cas === null || Number(cas) === AUTOPILOT.ModifyIndex);
};

function health(context: ApiContext): V1Answer {
  const server = {
    ...serverHealth(context),
    SerfStatus: 'alive',
    Leader: isLeading(context),
    Voter: true,
  };
  const isHealthy = server.Healthy;
  return json({ Healthy: isHealthy, FailureTolerance: 0, Servers: [server] }, isHealthy ? 200 : 429);
}

function autopilotState(context: ApiContext): unknown {
  const { id } = thisServer(context);
  const server = {
    ...serverHealth(context),
    NodeStatus: 'alive',
    Status: isLeading(context) ? 'leader' : 'voter',
    Meta: {},
    NodeType: 'voter',
    ReadReplica: false,
  };
  return {
    Healthy: server.Healthy,
    FailureTolerance: 0,
    OptimisticFailureTolerance: 0,
    Servers: { [id]: server },
    Leader: isLeading(context) ? id : '',
    Voters: [id],
  };
}

function serverHealth(context: ApiContext) {
  const { id, name, since } = thisServer(context);
  return {
    ID: id,
    Name: name,
    Address: serverAddress(context),
    Version: CONSUL_VERSION,
    LastContact: '0s',
    LastTerm: 1,
    LastIndex: context.feed.revision,
    Healthy: isLeading(context),
    StableSince: since,
  };
}

const NO_MESH = Object.freeze({
  'api-gateway': 0,
  'connect-native': 0,
  'connect-proxy': 0,
  'ingress-gateway': 0,
  'mesh-gateway': 0,
  'terminating-gateway': 0,
});

function usage(context: ApiContext): unknown {
  const { catalog, region, feed } = context;
  const { services, instances, billable } = counted(context);
  const counts = {
    Nodes: catalog.nodes().length,
    Services: services,
    ServiceInstances: instances,
    ConnectServiceInstances: NO_MESH,
    BillableServiceInstances: billable,
  };
  return {
    Usage: { [region]: counts },
    Index: feed.revision,
    LastContact: 0,
    KnownLeader: isLeading(context),
    ConsistencyLevel: 'leader',
    NotModified: false,
    Backend: 0,
    ResultsFilteredByACLs: false,
  };
}

function utilization(context: ApiContext): unknown {
  const { services, instances, billable } = counted(context);
  const { catalog, clock, region, version } = context;
  const nodes = catalog.nodes().length;
  const at = new Date(clock.wall()).toISOString();
  const counts = { Nodes: nodes, Services: services, ServiceInstances: instances, BillableServiceInstances: billable };
  return { Datacenter: region, Version: version, Timestamp: at, ...counts };
}

/** `consul`, the servers' own service, costs nobody. */
function counted({ catalog }: ApiContext): { services: number; instances: number; billable: number } {
  const names = catalog.serviceNames();
  const counts = names.map((name) => [name, catalog.instances(name).length] as const);
  const sum = (some: typeof counts): number => some.reduce((all, [, count]) => all + count, 0);
  const billable = sum(counts.filter(([name]) => name !== 'consul'));
  return { services: names.length, instances: sum(counts), billable };
}

/** The keys of gossip, of which there are none: links are encrypted by TLS. */
function keyring(context: ApiContext): V1Route['methods'] {
  const list: V1Handler = (request) => {
    request.authority.demand('keyring', '', 'read');
    const nodes = context.catalog.nodes().filter(({ record }) => !record.external).length;
    const ring = { Datacenter: context.region, Segment: '', Messages: {}, Keys: {}, PrimaryKeys: {} };
    return json([
      { WAN: true, ...ring, NumNodes: 1 },
      { WAN: false, ...ring, NumNodes: nodes },
    ]);
  };
  const change: V1Handler = (request) => {
    request.authority.demand('keyring', '', 'write');
    throw internal('keyring is not enabled: there is no gossip to encrypt');
  };
  return { GET: list, POST: change, PUT: change, DELETE: change };
}

function thisServer({ catalog, firstNode, nodes }: ApiContext): { id: string; name: string; since: string } {
  const found: CatalogNode | undefined = catalog.node(firstNode);
  const id = found?.record.id ?? nodes.get(firstNode)?.record.id ?? '';
  return { id, name: firstNode, since: found?.alive.since ?? '' };
}

function isLeading({ store }: ApiContext): boolean {
  return store.status().leaderKnown;
}
