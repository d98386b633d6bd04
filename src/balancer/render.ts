import { fingerprint } from '../lib/index.ts';
import { serverName } from './names.ts';
import { endpoint } from './wanted.ts';
import type { WantedBackend, WantedServer } from './wanted.ts';

/** What a node's configuration holds beside its backends. */
export interface RenderOptions {
  readonly node: string;
  /** Where the frontends listen. */
  readonly address: string;
  /** Absolute path of the runtime socket. */
  readonly adminSocket: string;
  /** Old workers are ended this long after a reload, whatever they still carry. */
  readonly hardStopMs: number;
  readonly threads: number;
  /** Whom the worker becomes after it has bound its ports; null: it stays who it is. */
  readonly runAs: { readonly user: string; readonly group: string } | null;
}

/** HAProxy's configuration for a node: equal input gives equal text. Holds no secrets. */
export function renderConfiguration(options: RenderOptions, backends: readonly WantedBackend[]): string {
  const sorted = backends.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return `${[head(options), ...sorted.map((backend) => section(options.address, backend))].join('\n\n')}\n`;
}

/** Equal for configurations that differ in their members only: those change through the runtime socket, without a reload. */
export function structureOf(options: RenderOptions, backends: readonly WantedBackend[]): string {
  return fingerprint(
    renderConfiguration(
      options,
      backends.map((backend) => ({ ...backend, servers: [] })),
    ),
  );
}

function head(options: RenderOptions): string {
  const { runAs } = options;
  return [
    `# The balancer of drover node ${printable(options.node)}. Written by drover: changes made here are lost.`,
    'global',
    `  stats socket ${quoted(options.adminSocket)} mode 600 level admin expose-fd listeners`,
    '  stats timeout 10s',
    `  nbthread ${options.threads}`,
    '  maxconn 8192',
    // A lower limit of open files means fewer connections, not no balancer.
    '  no strict-limits',
    `  hard-stop-after ${options.hardStopMs}ms`,
    '  mworker-max-reloads 8',
    ...(runAs ? [`  user ${runAs.user}`, `  group ${runAs.group}`] : []),
    '',
    'defaults',
    '  balance roundrobin',
    '  option redispatch 1',
    '  retries 3',
    '  timeout connect 2s',
    '  timeout queue 5s',
  ].join('\n');
}

function section(address: string, backend: WantedBackend): string {
  const http = backend.protocol === 'http';
  return [
    `frontend ${backend.name}`,
    `  mode ${backend.protocol}`,
    `  bind ${endpoint(address, backend.port)}`,
    ...(http ? HTTP_FRONTEND : TCP_FRONTEND),
    ...(http ? [`  use_backend ${relayName(backend)} if { stopping }`] : []),
    `  default_backend ${backend.name}`,
    '',
    `backend ${backend.name}`,
    `  mode ${backend.protocol}`,
    ...(http ? HTTP_BACKEND : TCP_BACKEND),
    ...serverLines(backend.servers),
    ...(http ? relay(address, backend) : []),
  ].join('\n');
}

/**
 * A worker that a reload left knows only the members of its time, and nobody can tell it of others: HAProxy refuses to
 * change servers of a process that stops. So the last request of a connection that idled in it goes to the new worker.
 */
function relay(address: string, backend: WantedBackend): string[] {
  return [
    '',
    `backend ${relayName(backend)}`,
    '  mode http',
    ...HTTP_BACKEND,
    `  server new ${endpoint(address, backend.port)}`,
  ];
}

/** `::` never comes out of a service's name. */
function relayName(backend: WantedBackend): string {
  return `${backend.name}::relay`;
}

const HTTP_FRONTEND = [
  '  timeout client 5m',
  '  timeout http-request 10s',
  '  timeout http-keep-alive 60s',
  // Idle clients are told at their next request that a reload ended their connection: none loses one.
  '  option idle-close-on-response',
];

const HTTP_BACKEND = [
  '  timeout server 5m',
  '  timeout tunnel 1h',
  '  retry-on conn-failure empty-response',
  // Only what may be said twice is said again once it has left (METH_GET is GET and HEAD).
  '  http-request disable-l7-retry unless METH_GET',
  '  http-error status 503 content-type text/plain string "no instance of the service answers\\n" hdr Retry-After 1',
];

const TCP_FRONTEND = ['  timeout client 1h', '  option clitcpka'];
const TCP_BACKEND = ['  timeout server 1h', '  option srvtcpka'];

/** Draining members are left out: a new process has nothing in flight to them. */
function serverLines(servers: readonly WantedServer[]): string[] {
  return servers
    .filter((server) => !server.draining)
    .toSorted((a, b) => (a.key < b.key ? -1 : 1))
    .map(
      (server) => `  server ${serverName(server.key)} ${endpoint(server.address, server.port)} weight ${server.weight}`,
    );
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

function printable(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?');
}
