import { keyOfServer, serverName } from './names.ts';
import { isDrained, isInMaintenance, isInRotation } from './servers-state.ts';
import type { RuntimeServer } from './servers-state.ts';
import { endpoint } from './wanted.ts';
import type { WantedBackend, WantedServer } from './wanted.ts';

/** One change of a server through the runtime socket. */
export type MemberChange =
  | { readonly type: 'add'; readonly server: string; readonly endpoint: string; readonly weight: number }
  | { readonly type: 'weight'; readonly server: string; readonly weight: number }
  | { readonly type: 'ready'; readonly server: string }
  | { readonly type: 'drain'; readonly server: string }
  /** Gets nothing new and is deleted when nothing is attached; `closeSessions`: what is in flight ends now. */
  | { readonly type: 'leave'; readonly server: string; readonly closeSessions: boolean };

/** The least disruptive act that leads from what runs to what is wanted. */
export type BalancerPlan =
  | { readonly type: 'nothing' }
  | { readonly type: 'members'; readonly changes: readonly MemberChange[] }
  | { readonly type: 'reload' }
  | { readonly type: 'start' };

/** What runs: the structure of the file that the worker read, and its servers; null where no HAProxy runs. */
export interface RunningState {
  readonly structure: string | null;
  readonly servers: readonly RuntimeServer[];
}

/** Decides. `server` in a change is HAProxy's `backend/server`. */
export function planBalancer(
  running: RunningState | null,
  wanted: { readonly structure: string; readonly backends: readonly WantedBackend[] },
): BalancerPlan {
  if (running === null) return { type: 'start' };
  if (running.structure !== wanted.structure) return { type: 'reload' };
  const changes = planMembers(running.servers, wanted.backends);
  return changes.length === 0 ? { type: 'nothing' } : { type: 'members', changes };
}

/** The changes that make the runtime's servers exactly the wanted ones; arrivals come before departures. */
export function planMembers(servers: readonly RuntimeServer[], backends: readonly WantedBackend[]): MemberChange[] {
  const byBackend = Map.groupBy(servers, (server) => server.backend);
  const changes = backends.flatMap((backend) => planBackend(backend, byBackend.get(backend.name) ?? []));
  return [
    ...changes.filter((change) => change.type !== 'leave'),
    ...changes.filter((change) => change.type === 'leave'),
  ];
}

/** Members in rotation that HAProxy itself holds to be not up, as `backend/server`. */
export function membersNotUp(servers: readonly RuntimeServer[]): string[] {
  return servers
    .filter((server) => isInRotation(server) && server.operational !== 2)
    .map((server) => `${server.backend}/${server.name}`);
}

/** The command lines of a change. Names and addresses were made safe before: no `;`, space or newline can be in them. */
export function commandsOf(change: MemberChange): string[] {
  const { server } = change;
  switch (change.type) {
    case 'add':
      return [`add server ${server} ${change.endpoint} weight ${change.weight}`, `enable server ${server}`];
    case 'weight':
      return [`set server ${server} weight ${change.weight}`];
    case 'ready':
      return [`set server ${server} state ready`];
    case 'drain':
      return [`set server ${server} state drain`];
    case 'leave':
      return [
        `set server ${server} state maint`,
        ...(change.closeSessions ? [`shutdown sessions server ${server}`] : []),
        `del server ${server}`,
      ];
  }
}

function planBackend(backend: WantedBackend, servers: readonly RuntimeServer[]): MemberChange[] {
  const taken = new Set(servers.map((server) => server.name));
  const kept = new Set<RuntimeServer>();
  const changes: MemberChange[] = [];
  for (const wanted of backend.servers) {
    const present = findPresent(wanted, servers);
    if (present !== undefined) {
      kept.add(present);
      changes.push(...planPresent(backend.name, wanted, present));
    } else if (!wanted.draining) {
      changes.push(planArrival(backend.name, wanted, taken));
    }
  }
  const leaving = servers.filter((server) => !kept.has(server) && !isInMaintenance(server));
  return [...changes, ...leaving.map((server) => planDeparture(backend, server))];
}

/** The object of a member: same key, same address; one that still serves before one that is on its way out. */
function findPresent(wanted: WantedServer, servers: readonly RuntimeServer[]): RuntimeServer | undefined {
  const same = servers.filter(
    (server) =>
      server.port === wanted.port && server.address === wanted.address && keyOfServer(server.name) === wanted.key,
  );
  return same.find(isInRotation) ?? same.find((server) => !isInMaintenance(server)) ?? same[0];
}

function planPresent(backend: string, wanted: WantedServer, present: RuntimeServer): MemberChange[] {
  const server = `${backend}/${present.name}`;
  if (wanted.draining) return isInRotation(present) ? [{ type: 'drain', server }] : [];
  return [
    ...(present.weight === wanted.weight ? [] : [{ type: 'weight', server, weight: wanted.weight } as const]),
    ...(isInRotation(present) ? [] : [{ type: 'ready', server } as const]),
  ];
}

function planArrival(backend: string, wanted: WantedServer, taken: Set<string>): MemberChange {
  const name = serverName(wanted.key, taken);
  taken.add(name);
  const { address, port, weight } = wanted;
  return { type: 'add', server: `${backend}/${name}`, endpoint: endpoint(address, port), weight };
}

/** One that was drained first left gracefully; one that just vanished from the view is critical or gone (semantics 3). */
function planDeparture(backend: WantedBackend, server: RuntimeServer): MemberChange {
  const closeSessions = backend.protocol === 'tcp' && !isDrained(server);
  return { type: 'leave', server: `${backend.name}/${server.name}`, closeSessions };
}
