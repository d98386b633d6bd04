import type { ApiContext } from '../context.ts';
import { json, type StreamOut, type V1Answer, type V1Request, type V1Route } from './exchange.ts';
import { INTERVAL_MS, type RequestCounts } from './request-counts.ts';
import { serversOf } from './server-list.ts';

interface Gauge {
  readonly Name: string;
  readonly Value: number;
  readonly Labels: Readonly<Record<string, string>>;
}

/** `/v1/agent/metrics` (consul-http-api 8): what Consul's monitoring reads, as far as drover has such a thing. */
export function metricsRoutes(context: ApiContext, counts: RequestCounts): V1Route[] {
  const stream = (request: V1Request): V1Answer => {
    request.authority.demand('agent', context.firstNode, 'read');
    return {
      headers: { 'Content-Type': 'application/json' },
      stream: (out) => {
        const isAllowed = (): boolean => request.stillMay('agent', context.firstNode, 'read');
        repeat(context, out, { textOf: () => `${JSON.stringify(metrics(context, counts))}\n`, isAllowed });
      },
    };
  };
  return [
    { path: 'agent/metrics', methods: { GET: (request) => read(context, counts, request) } },
    { path: 'agent/metrics/stream', methods: { GET: stream } },
  ];
}

function read(context: ApiContext, counts: RequestCounts, { authority, query }: V1Request): V1Answer {
  authority.demand('agent', context.firstNode, 'read');
  if (query.get('format') !== 'prometheus') return json(metrics(context, counts));
  if (context.http.prometheus) {
    const headers = { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' };
    return { headers, bytes: Buffer.from(exposition(context, counts)) };
  }
  return { status: 415, text: 'Prometheus is not enabled since its retention time is not positive' };
}

interface Repeated {
  readonly textOf: () => string;
  readonly isAllowed: () => boolean;
}

/** At once, and then at the end of each interval. */
function repeat({ clock }: ApiContext, out: StreamOut, { textOf, isAllowed }: Repeated): void {
  const next = (): void => {
    // Who does not read is not written to any more, whose token has ended is cut off.
    if (!isAllowed()) return void out.end();
    if (out.writableLength === 0) out.write(textOf());
    timer = clock.after(INTERVAL_MS, next);
  };
  let timer = clock.after(0, next);
  out.once('close', () => timer.cancel());
}

function metrics(context: ApiContext, counts: RequestCounts): object {
  return {
    Timestamp: `${new Date(context.clock.wall()).toISOString().slice(0, 19).replace('T', ' ')} +0000 UTC`,
    Gauges: gauges(context),
    Points: [],
    Counters: [...counts.last].map(([method, count]) => ({
      Name: 'consul.api.http',
      Count: count,
      Rate: count / (INTERVAL_MS / 1_000),
      Sum: count,
      Min: 1,
      Max: 1,
      Mean: 1,
      Stddev: 0,
      Labels: { method },
    })),
    Samples: [],
  };
}

type Figure = [name: string, value: number, labels?: Record<string, string>];

/** How long changes took to their consumers, and how many of those are late. */
function arrivalFigures({ changes }: ApiContext): Figure[] {
  const kinds = [...changes.figures()].flatMap(([kind, { p50Ms, p99Ms, lastMs }]): Figure[] => [
    ['drover.receipts.p50_ms', p50Ms ?? 0, { kind }],
    ['drover.receipts.p99_ms', p99Ms ?? 0, { kind }],
    ['drover.receipts.last_ms', lastMs ?? 0, { kind }],
  ]);
  return [
    ...kinds.toSorted(([a], [b]) => (a < b ? -1 : Number(a > b))),
    ['drover.receipts.late', changes.late().length],
  ];
}

/** The other servers that run, how many of them are not heard or not told, and how many revisions each is behind. */
function peerFigures({ peers }: ApiContext): Figure[] {
  const others = peers?.status() ?? [];
  return [
    ['drover.peers.running', others.length],
    ['drover.peers.unheard', others.filter(({ heard }) => !heard).length],
    ['drover.peers.untold', others.filter(({ told }) => !told).length],
    ...others.map(({ server, behind }): Figure => ['drover.peers.behind_revisions', behind ?? 0, { server }]),
  ];
}

function gauges(context: ApiContext): Gauge[] {
  const { catalog, region } = context;
  const { heapUsed, rss } = process.memoryUsage();
  const nodes = catalog.nodes();
  const dc = { datacenter: region };
  const servers = serversOf(context);
  const isLeader = servers.some((one) => one.isSelf && one.isLeader);
  const figures: Figure[] = [
    ['consul.runtime.alloc_bytes', heapUsed],
    ['consul.runtime.sys_bytes', rss],
    ['consul.runtime.num_goroutines', process.getActiveResourcesInfo().length],
    ['consul.server.isLeader', isLeader ? 1 : 0],
    ['consul.rpc.queries_blocking', context.queries.waiters + context.userEvents.log.waiters],
    ['consul.state.nodes', nodes.length, dc],
    ['drover.cache_divergence', context.cacheCheck?.divergence ?? 0, dc],
    ['drover.checks_held', context.registry.heldChecks, dc],
    ['drover.partition_alarm', context.liveness.alarm === null ? 0 : 1, dc],
    ['drover.nodes_suspected', nodes.filter(({ alive }) => alive.status === 'suspected').length, dc],
    ['drover.nodes_down', nodes.filter(({ alive }) => alive.status === 'down').length, dc],
    ['consul.state.services', new Set(nodes.flatMap(servicesOf)).size, dc],
    ['consul.state.service_instances', nodes.flatMap(servicesOf).length, dc],
    ['consul.members.servers', servers.length, dc],
    ['consul.members.clients', nodes.filter((node) => !node.record.external).length - servers.length, dc],
  ];
  return [...figures, ...arrivalFigures(context), ...peerFigures(context)].map(([Name, Value, Labels = {}]) => ({
    Name,
    Value: Math.max(0, Value),
    Labels,
  }));
}

function servicesOf(node: ReturnType<ApiContext['catalog']['nodes']>[number]): string[] {
  return [...node.instances.values()].map((instance) => instance.record.service);
}

/** The text format of Prometheus, version 0.0.4. */
function exposition(context: ApiContext, counts: RequestCounts): string {
  const all = gauges(context);
  // What is said of a name is said once, before the first of its values.
  const lines = all.map((gauge, at) => line(gauge, all[at - 1]?.Name === gauge.Name ? null : 'gauge'));
  const requests = [...counts.last].map(([method, Value]) =>
    line({ Name: `consul.api.http.${method.toLowerCase()}`, Value, Labels: {} }, 'gauge'),
  );
  return [...lines, ...requests].join('');
}

function line({ Name, Value, Labels }: Gauge, type: string | null): string {
  const name = Name.replaceAll('.', '_');
  const pairs = Object.entries(Labels).map(([key, value]) => `${key}=${JSON.stringify(value)}`);
  const labels = pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
  const head = type === null ? '' : `# HELP ${name} ${Name}\n# TYPE ${name} ${type}\n`;
  return `${head}${name}${labels} ${Value}\n`;
}
