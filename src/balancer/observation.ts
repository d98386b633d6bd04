import { keyOfServer } from './names.ts';
import type { ServerStatistics } from './statistics.ts';
import type { WantedBackend } from './wanted.ts';

interface Rest {
  readonly untilMs: number;
  /** How often in a row it was found failing. */
  readonly times: number;
}

/** What the traffic of a node's own clients tells of the members (P23): nothing is sent to find it out. */
export interface Observation {
  readonly counters: ReadonlyMap<string, ServerStatistics>;
  /** By `memberName`. */
  readonly rests: ReadonlyMap<string, Rest>;
}

export const NOTHING_OBSERVED: Observation = { counters: new Map(), rests: new Map() };

/** Fewer attempts since the last look say nothing. */
const FEWEST_ATTEMPTS = 3;
const FIRST_REST_MS = 5_000;
const LONGEST_REST_MS = 60_000;

/**
 * Finds members to which every attempt since the last look failed. They rest for 5 s, doubling to 60 s while it goes on,
 * then real traffic tries them again; never more than half of a backend rests, so that one alone never does.
 *
 * @param sizes how many members each backend has, by its name
 */
export function observe(
  before: Observation,
  rows: readonly ServerStatistics[],
  options: { readonly nowMs: number; readonly sizes: ReadonlyMap<string, number> },
): Observation {
  const { nowMs, sizes } = options;
  const present = new Set(rows.map(nameOfRow));
  const rests = new Map([...before.rests].filter(([name]) => present.has(name)));
  for (const row of rows) {
    const name = nameOfRow(row);
    const verdict = judge(before.counters.get(`${row.backend}/${row.name}`), row);
    const rest = rests.get(name);
    if (verdict === 'well') rests.delete(name);
    if (verdict !== 'failing' || (rest !== undefined && rest.untilMs > nowMs)) continue;
    if (countResting(rests, row.backend, nowMs) >= Math.floor((sizes.get(row.backend) ?? 0) / 2)) continue;
    const times = rest?.times ?? 0;
    rests.set(name, { untilMs: nowMs + Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** times), times: times + 1 });
  }
  return { counters: new Map(rows.map((row) => [`${row.backend}/${row.name}`, row])), rests };
}

/** The members that rest now, by `memberName`. */
export function restingMembers(observation: Observation, nowMs: number): ReadonlySet<string> {
  return new Set([...observation.rests].filter(([, rest]) => rest.untilMs > nowMs).map(([name]) => name));
}

/** The backend with no traffic for those that rest. */
export function withRests(backend: WantedBackend, resting: ReadonlySet<string>): WantedBackend {
  const servers = backend.servers.map((server) =>
    resting.has(memberName(backend.name, server.key)) ? { ...server, weight: 0 } : server,
  );
  return { ...backend, servers };
}

/** A member of a backend as one word and its key. */
export function memberName(backend: string, key: string): string {
  return `${backend} ${key}`;
}

function judge(before: ServerStatistics | undefined, now: ServerStatistics): 'failing' | 'well' | 'unknown' {
  // A new worker counts from nothing.
  if (before === undefined || now.total < before.total) return 'unknown';
  const attempts = now.total - before.total;
  const failures = now.failures - before.failures;
  if (attempts > failures) return 'well';
  return attempts >= FEWEST_ATTEMPTS ? 'failing' : 'unknown';
}

function countResting(rests: ReadonlyMap<string, Rest>, backend: string, nowMs: number): number {
  return [...rests].filter(([name, rest]) => name.startsWith(`${backend} `) && rest.untilMs > nowMs).length;
}

function nameOfRow(row: ServerStatistics): string {
  return memberName(row.backend, keyOfServer(row.name));
}
