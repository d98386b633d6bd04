import path from 'node:path';

/** The repository. */
export const ROOT = path.resolve(import.meta.dirname, '../..');
/** Where the example keeps its state. */
export const STATE = path.join(ROOT, '.drover');
export const EXAMPLE = path.join(ROOT, 'examples/seatgeek');
export const ADDRESS = 'http://127.0.0.1:8500';
/** Where the running example listens for `npm run example`. */
export const CONTROL_SOCKET = path.join(STATE, 'example.sock');
/** Processes of the example, so that the next start can clean up after a SIGKILL. */
export const PROCESSES = path.join(STATE, 'processes.json');

/** One program that stands in for a service on a node. */
export interface StandIn {
  readonly service: string;
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly program: string;
  /** Its environment file must be there before it starts. */
  readonly environment?: string;
}

export const STAND_INS: readonly StandIn[] = [
  { service: 'elasticsearch', node: 'staging', host: '127.0.0.1', port: 9200, program: 'elasticsearch.mjs' },
  { service: 'api', node: 'api-1', host: '127.0.0.2', port: 1100, program: 'api.mjs' },
  { service: 'api', node: 'api-2', host: '127.0.0.3', port: 1100, program: 'api.mjs' },
  {
    service: 'app-www',
    node: 'staging',
    host: '127.0.0.1',
    port: 8080,
    program: 'www.mjs',
    environment: path.join(STATE, 'nodes/staging/services.d/app-www.conf'),
  },
];

/** TCP addresses that must be free, and what wants them. */
export const PORTS: readonly { readonly host: string; readonly port: number; readonly for: string }[] = [
  { host: '127.0.0.1', port: 8500, for: 'HTTP' },
  { host: '127.0.0.1', port: 8600, for: 'DNS' },
  { host: '127.0.0.1', port: 1100, for: 'the balancer of staging' },
  ...STAND_INS.map(({ host, port, service, node }) => ({ host, port, for: `${service}@${node}` })),
];
