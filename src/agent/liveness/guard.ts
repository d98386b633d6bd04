/** Nodes that nobody hears, together, and what probes found of their instances. */
export interface Crowd {
  /** Nodes with an agent that are up or vanished. */
  readonly total: number;
  readonly vanished: number;
  readonly instances: number;
  /** Instances where something said that nothing listens. */
  readonly refused: number;
  /** Instances that neither the server nor other nodes reached. */
  readonly silent: number;
  /** Whether every one of them was probed. */
  readonly isWeighed: boolean;
}

/** An alarm that stands; ages are measured by whoever asks. */
export interface StandingAlarm {
  readonly ageMs: number;
  readonly forMs: number;
}

/** Why an alarm ends. */
export type AlarmEnd = 'expired' | 'back' | 'confirmed';

/** So many may vanish within a minute before it is suspected to be a partition (design 5). */
export function crowdLimit(total: number): number {
  return Math.max(total * 0.15, 3);
}

/**
 * Whether what vanished within a minute is to be believed (decision 191). `weigh`: not everybody was probed yet, so wait; `hold`:
 * it looks like a partition. Where most of all nodes are out of reach, silence confirms nothing: whoever looks may be the one that
 * is cut off. Pure.
 */
export function weighCrowd(crowd: Crowd): 'calm' | 'weigh' | 'hold' {
  if (crowd.vanished <= crowdLimit(crowd.total) || isConfirmed(crowd)) return 'calm';
  return crowd.isWeighed ? 'hold' : 'weigh';
}

/** Who vanished is noticed one by one, and later by other servers: what looks small in this time may be a part of it. */
const GATHER_MS = 5_000;

/** Why an alarm over those that are still out of reach ends; null: it stands. Pure. */
export function endOfAlarm(alarm: StandingAlarm, crowd: Crowd): AlarmEnd | null {
  if (alarm.ageMs >= alarm.forMs) return 'expired';
  if (alarm.ageMs < GATHER_MS) return null;
  if (crowd.vanished <= crowdLimit(crowd.total)) return 'back';
  return isConfirmed(crowd) ? 'confirmed' : null;
}

/** At least half of their instances are confirmed dead; where there are none, nothing is. */
function isConfirmed({ total, vanished, instances, refused, silent }: Crowd): boolean {
  const confirmed = refused + (vanished * 2 > total ? 0 : silent);
  return instances > 0 && confirmed * 2 >= instances;
}

/** One line about a crowd, for people. Pure. */
export function sayCrowd({ total, vanished, instances, refused, silent }: Crowd): string {
  return `${vanished} of ${total} nodes vanished; of their ${instances} instances ${refused} refuse and ${silent} are silent`;
}
