import { keyOfServer } from './names.ts';
import { isDrained, isInMaintenance } from './servers-state.ts';
import type { RuntimeServer } from './servers-state.ts';
import { endpoint } from './wanted.ts';
import type { BalancerView } from '../registry/index.ts';
import { backendName } from './names.ts';

/** A member as HAProxy's runtime has it. */
export interface MemberStatus {
  readonly key: string;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  /** `leaving`: gets nothing new and goes when nothing is in flight to it any more. */
  readonly state: 'up' | 'down' | 'draining' | 'leaving';
  /** In flight, workers left by reloads included. */
  readonly sessions: number;
}

export interface FrontendStatus {
  readonly service: string;
  /** Such as `127.0.0.1:1100`. */
  readonly endpoint: string;
  readonly protocol: 'http' | 'tcp';
  readonly panicking: boolean;
  readonly members: readonly MemberStatus[];
  /** Why it does not work as wanted, such as a port that somebody else holds. */
  readonly error: string | null;
}

/** How a node's balancer does. */
export interface BalancerStatus {
  /** HAProxy's master; null: none runs. */
  readonly pid: number | null;
  readonly revision: number | null;
  /** Why what is shown may be old: HAProxy does not answer, or the registry's view is missing; null: it is current. */
  readonly stale: string | null;
  readonly frontends: readonly FrontendStatus[];
  readonly skipped: BalancerView['skipped'];
  /** Workers that earlier reloads left. */
  readonly oldWorkers: number;
  readonly errors: readonly string[];
}

/** The frontends of a view with their members from the runtime. */
export function describeFrontends(
  view: BalancerView,
  runtime: readonly RuntimeServer[],
  sessions: ReadonlyMap<string, number>,
  errors: ReadonlyMap<string, string>,
): FrontendStatus[] {
  return view.frontends.map((frontend) => {
    const name = backendName(frontend.service);
    const servers = runtime.filter((server) => server.backend === name);
    return {
      service: frontend.service,
      endpoint: endpoint(view.address, frontend.port),
      protocol: frontend.protocol,
      panicking: frontend.panicking,
      members: servers.map((server) => describeMember(server, sessions.get(`${name}/${server.name}`) ?? 0)),
      error: errors.get(frontend.service) ?? null,
    };
  });
}

function describeMember(server: RuntimeServer, sessions: number): MemberStatus {
  const { address, port, weight } = server;
  return { key: keyOfServer(server.name), address, port, weight, state: stateOf(server), sessions };
}

function stateOf(server: RuntimeServer): MemberStatus['state'] {
  if (isInMaintenance(server)) return 'leaving';
  if (isDrained(server)) return 'draining';
  return server.operational === 2 ? 'up' : 'down';
}
