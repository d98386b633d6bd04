import type { AliveRecord } from '../../registry/index.ts';
import type { Findings } from './findings.ts';

/** A node that nobody hears, while this server speaks for it. Times in ms of attention. */
export class Silence {
  readonly reason: string;
  readonly sinceMs: number;
  readonly suspectedAfterMs: number;
  readonly downAfterMs: number;
  /** What the last round of probes found; null before the first. */
  findings: Findings | null = null;
  isProbing = false;
  /** When the last round began. */
  probedAtMs = -Infinity;

  constructor(options: {
    readonly reason: string;
    readonly sinceMs: number;
    readonly suspectedAfterMs: number;
    readonly graceMs: number;
  }) {
    this.reason = options.reason;
    this.sinceMs = options.sinceMs;
    this.suspectedAfterMs = options.suspectedAfterMs;
    this.downAfterMs = options.suspectedAfterMs + options.graceMs;
  }

  /** Whether it is to be suspected, or is already. `factor` widens the time. */
  isDue(spentMs: number, factor: number, { status }: AliveRecord): boolean {
    return status !== 'up' || spentMs - this.sinceMs >= this.suspectedAfterMs * factor;
  }
}
