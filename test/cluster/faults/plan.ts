import type { Seeded } from './seeded.ts';

/** What can be done to a cluster; each ends by itself or is taken back after a while. */
export const FAULTS = [
  'kill-server',
  'pause-server',
  'cut-server',
  'cut-server-from-store',
  'kill-member',
  'pause-member',
  'cut-member',
  'move-leader',
  'kill-leader',
  'compact',
  'lose-quorum',
  'cut-agent',
  'kill-agent',
] as const;

export type FaultKind = (typeof FAULTS)[number];

/** One fault: `target` is the number of the server, member or agent, where it has one. */
export interface Fault {
  readonly kind: FaultKind;
  readonly target: number;
  readonly atMs: number;
  readonly forMs: number;
}

export interface PlanOptions {
  readonly random: Seeded;
  readonly durationMs: number;
  readonly servers: number;
  readonly members: number;
  /** Those that may be killed; the others are only cut off. */
  readonly mortalAgents: readonly number[];
  readonly agents: number;
  /** All of them unless told. */
  readonly only?: readonly FaultKind[];
}

const SHORTEST_MS = 2_000;
const LONGEST_MS = 5_000;
/** Between two faults everything is whole, for a moment that may be too short to settle. */
const LEAST_GAP_MS = 300;
const MOST_GAP_MS = 2_500;
/** After some faults comes a pause in which everything settles. */
const REST_EVERY = 4;
const REST_MS = 4_000;
/** As often as this a second fault begins while the first goes on, at another kind of party. */
const SECOND = 0.3;
/** Until sessions, servers' leases and liveness have had their say. */
const LONG: Partial<Record<FaultKind, number>> = { 'lose-quorum': 3_000, 'kill-agent': 4_000, 'pause-server': 4_000 };

/** The same plan for the same seed: every kind in a shuffled order, again and again, until the time is over. Pure. */
export function planFaults(options: PlanOptions): Fault[] {
  const { random, durationMs, only = FAULTS } = options;
  const plan: Fault[] = [];
  let deck: FaultKind[] = [];
  for (let atMs = MOST_GAP_MS; atMs < durationMs;) {
    if (deck.length === 0) deck = random.shuffled(only);
    const fault = faultOf(deck.pop() as FaultKind, atMs, options);
    if (atMs + fault.forMs > durationMs) break;
    plan.push(fault);
    const second = secondOf(fault, options);
    if (second !== null) plan.push(second);
    const rest = plan.length % REST_EVERY === 0 ? REST_MS : 0;
    atMs += fault.forMs + random.between(LEAST_GAP_MS, MOST_GAP_MS) + rest;
  }
  return plan;
}

function faultOf(kind: FaultKind, atMs: number, options: PlanOptions): Fault {
  const { random } = options;
  const forMs = random.between(SHORTEST_MS, LONGEST_MS) + (LONG[kind] ?? 0);
  return { kind, atMs, target: targetOf(kind, options), forMs: Math.round(forMs) };
}

function targetOf(kind: FaultKind, { random, servers, members, agents, mortalAgents }: PlanOptions): number {
  if (kind === 'kill-agent') return random.pick(mortalAgents);
  if (kind.endsWith('agent')) return random.below(agents);
  return random.below(kind.includes('server') ? servers : members);
}

function secondOf(first: Fault, options: PlanOptions): Fault | null {
  const { random, only = FAULTS } = options;
  if (random.next() > SECOND) return null;
  const others = only.filter((kind) => tierOf(kind) !== tierOf(first.kind) && kind !== 'lose-quorum');
  if (others.length === 0) return null;
  const atMs = first.atMs + random.between(0, first.forMs / 2);
  const { kind, target } = faultOf(random.pick(others), atMs, options);
  return { kind, target, atMs: Math.round(atMs), forMs: Math.round(first.atMs + first.forMs - atMs) };
}

function tierOf(kind: FaultKind): 'server' | 'agent' | 'member' {
  if (kind.includes('server')) return 'server';
  return kind.endsWith('agent') ? 'agent' : 'member';
}

/** For people. */
export function faultText({ kind, target }: Pick<Fault, 'kind' | 'target'>): string {
  if (kind === 'compact' || kind === 'lose-quorum' || kind === 'kill-leader') return kind;
  return `${kind} ${target}`;
}
