import type { AliveRecord } from '../../registry/index.ts';
import type { Findings } from './findings.ts';
import type { Round } from './prober.ts';

/** Rounds of probes of a node. */
export class Probes {
  /** What the last round that counts found; null before the first. */
  findings: Findings | null = null;
  isUnderWay = false;
  /** When the last round began. */
  beganAtMs = -Infinity;
  #isUnheard = false;

  /** Ends a round. One in which those who were asked had no word counts when the next is no better: they may only be busy. */
  take({ findings, isHeard }: Round): void {
    if (isHeard || this.#isUnheard) this.findings = findings;
    this.#isUnheard = !isHeard;
    this.isUnderWay = false;
  }
}

/** A node that nobody hears, while this server speaks for it. Times in ms of attention. */
export class Silence {
  readonly reason: string;
  readonly sinceMs: number;
  readonly suspectedAfterMs: number;
  readonly downAfterMs: number;
  readonly probes: Probes;

  constructor(options: {
    readonly reason: string;
    readonly sinceMs: number;
    readonly suspectedAfterMs: number;
    readonly graceMs: number;
    /** Begun already, because a sign of life was late. */
    readonly probes?: Probes | undefined;
  }) {
    this.reason = options.reason;
    this.sinceMs = options.sinceMs;
    this.suspectedAfterMs = options.suspectedAfterMs;
    this.downAfterMs = options.suspectedAfterMs + options.graceMs;
    this.probes = options.probes ?? new Probes();
  }

  get findings(): Findings | null {
    return this.probes.findings;
  }

  /** Whether it is to be suspected, or is already. `factor` widens the time. */
  isDue(spentMs: number, factor: number, { status }: AliveRecord): boolean {
    return status !== 'up' || spentMs - this.sinceMs >= this.suspectedAfterMs * factor;
  }
}
