import { CONSUL_VERSION } from '../../lib/index.ts';
import type { ApiContext } from '../context.ts';
import { badRequest, internal } from '../errors.ts';
import { foldedObject } from '../fields.ts';
import { bodyJson, json, type V1Answer, type V1Handler, type V1Request, type V1Route } from './exchange.ts';
import { serversOf, type ListedServer } from './server-list.ts';

/**
 * What Consul tells its operators of raft, autopilot and gossip (consul-http-api 10). drover has none of them: the answers
 * are of the servers that run, in Consul's form, so that tools that only look are content.
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
  const servers = serversOf(context).map(({ id, name, address, isLeader }) => ({
    ID: id,
    Node: name,
    Address: address,
    Leader: isLeader,
    ProtocolVersion: '3',
    LastIndex: context.feed.revision,
    Voter: true,
  }));
  return { Servers: servers, Index: 1 };
}

function removePeer(context: ApiContext, { query }: V1Request): V1Answer {
  const [id, address] = [query.get('id') ?? '', query.get('address') ?? ''];
  if (id === '' && address === '')
    throw badRequest("Must specify either ?id with the server's ID or ?address with IP:port of peer to remove");
  if (id !== '' && address !== '') throw badRequest('Must specify only one of ?id or ?address');
  const servers = serversOf(context);
  const isKnown = servers.some((one) => one.id === id || one.address === address);
  const what = id === '' ? `address ${JSON.stringify(address)}` : `id ${JSON.stringify(id)}`;
  const why =
    servers.length === 1 ? 'the only server cannot be removed' : 'a server that runs is removed by stopping it';
  throw internal(isKnown ? why : `${what} was not found in the Raft configuration`);
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
  const servers = serversOf(context).map((one) => ({
    ...serverHealth(context, one),
    SerfStatus: 'alive',
    Leader: one.isLeader,
    Voter: true,
  }));
  const isHealthy = servers.every(({ Healthy }) => Healthy);
  const answer = { Healthy: isHealthy, FailureTolerance: servers.length - 1, Servers: servers };
  return json(answer, isHealthy ? 200 : 429);
}

function autopilotState(context: ApiContext): unknown {
  const servers = serversOf(context);
  const shown = servers.map((one): [string, object] => [
    one.id,
    {
      ...serverHealth(context, one),
      NodeStatus: 'alive',
      Status: one.isLeader ? 'leader' : 'voter',
      Meta: {},
      NodeType: 'voter',
      ReadReplica: false,
    },
  ]);
  return {
    Healthy: isLeading(context),
    FailureTolerance: servers.length - 1,
    OptimisticFailureTolerance: servers.length - 1,
    Servers: Object.fromEntries(shown),
    Leader: servers.find(({ isLeader }) => isLeader)?.id ?? '',
    Voters: servers.map(({ id }) => id),
  };
}

/** Servers keep no state: each that runs is as good as any, as long as the store takes writes. */
function serverHealth(context: ApiContext, { id, name, address, since }: ListedServer) {
  return {
    ID: id,
    Name: name,
    Address: address,
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

/** Whether anybody can lead: the store takes writes. */
function isLeading({ store }: ApiContext): boolean {
  return store.status().leaderKnown;
}
