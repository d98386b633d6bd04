import { isDrained, isInMaintenance } from './servers-state.ts';
import type { RuntimeServer } from './servers-state.ts';

/** Since when (monotonic ms) a server gets nothing new, by `backend/server`. */
export type Departures = ReadonlyMap<string, number>;

/** What the next look at the leaving servers does. */
export interface DepartureStep {
  readonly departures: Departures;
  readonly commands: readonly string[];
  /** Servers whose sessions had their time: those in workers left by reloads end too. */
  readonly overdue: readonly RuntimeServer[];
  /** When to look again; null: nobody is leaving. */
  readonly nextMs: number | null;
}

/** `del server` is refused while a connection is attached: it is tried again this often (semantics 3). */
const DELETE_EVERY_MS = 100;
const LOOK_AT_DRAINED_EVERY_MS = 1_000;

/** Deletes servers in maintenance, and closes the sessions of servers that had their time. */
export function stepDepartures(
  servers: readonly RuntimeServer[],
  before: Departures,
  options: { readonly nowMs: number; readonly capMs: number },
): DepartureStep {
  const { nowMs, capMs } = options;
  const leaving = servers.filter((server) => isInMaintenance(server) || isDrained(server));
  const departures = new Map(leaving.map((server) => [nameOf(server), before.get(nameOf(server)) ?? nowMs]));
  const overdue = leaving.filter((server) => nowMs - (departures.get(nameOf(server)) as number) >= capMs);
  const closing = overdue.map((server) => `shutdown sessions server ${nameOf(server)}`);
  const deletable = leaving.filter(isInMaintenance).map((server) => `del server ${nameOf(server)}`);
  return { departures, commands: [...closing, ...deletable], overdue, nextMs: nextLook(leaving) };
}

function nextLook(leaving: readonly RuntimeServer[]): number | null {
  if (leaving.length === 0) return null;
  return leaving.some(isInMaintenance) ? DELETE_EVERY_MS : LOOK_AT_DRAINED_EVERY_MS;
}

function nameOf(server: RuntimeServer): string {
  return `${server.backend}/${server.name}`;
}
