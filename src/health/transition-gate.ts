import { type Clock, type Timer, TokenBucket } from '../lib/index.ts';
import type { CheckRecord, CheckStatus } from '../registry/index.ts';

/** A check may change this often at once, so that a client that sets it twice is seen at once; then once per damping time. */
const BURST = 3;
/** How many changes of a node go out per damping time once its allowance is used up (`store.md` 3.3). */
const PER_NODE = 10;
/** A node's allowance: as many changes at once as it has checks, and no fewer than this. */
const LEAST_ALLOWANCE = 50;

interface Passing {
  readonly bucket: TokenBucket;
  /** The status that was last sent. */
  sent: CheckStatus;
  pending: CheckRecord | null;
}

/**
 * Sends changes of status on, damped: the first few of a check at once, then one per damping time, of which the last one
 * wins; a check that is back at what was sent last sends nothing. Critical ones go first and never wait for other checks.
 */
export class TransitionGate {
  readonly #clock: Clock;
  readonly #dampingMs: number;
  readonly #send: (check: CheckRecord) => void;
  readonly #checks = new Map<string, Passing>();
  readonly #node: TokenBucket;
  #timer: Timer | null = null;

  constructor(options: {
    readonly clock: Clock;
    readonly dampingMs: number;
    readonly send: (check: CheckRecord) => void;
  }) {
    this.#clock = options.clock;
    this.#dampingMs = options.dampingMs;
    this.#send = options.send;
    const refillMs = options.dampingMs / PER_NODE;
    this.#node = new TokenBucket({ capacity: LEAST_ALLOWANCE, refillMs, nowMs: options.clock.now() });
  }

  /** A check whose status is known by other means: from its registration. */
  admit(id: string, status: CheckStatus): void {
    const nowMs = this.#clock.now();
    const bucket = new TokenBucket({ capacity: BURST, refillMs: this.#dampingMs, nowMs });
    this.#checks.set(id, { bucket, sent: status, pending: null });
    this.#node.resize(Math.max(LEAST_ALLOWANCE, this.#checks.size), nowMs);
  }

  /** Nothing more is sent of this check. */
  forget(id: string): void {
    this.#checks.delete(id);
    this.#node.resize(Math.max(LEAST_ALLOWANCE, this.#checks.size), this.#clock.now());
  }

  /** What the check is now. */
  offer(check: CheckRecord): void {
    const passing = this.#checks.get(check.id);
    if (passing === undefined) return;
    passing.pending = check.status === passing.sent ? null : check;
    if (passing.pending !== null) this.#flush();
  }

  close(): void {
    this.#timer?.cancel();
    this.#checks.clear();
  }

  #flush(): void {
    this.#timer?.cancel();
    this.#timer = null;
    const waiting = [...this.#checks.values()].filter(({ pending }) => pending !== null);
    waiting.sort((a, b) => Number(isCritical(b)) - Number(isCritical(a)));
    let nextMs = Infinity;
    for (const one of waiting) nextMs = Math.min(nextMs, this.#pass(one));
    if (nextMs < Infinity) this.#timer = this.#clock.after(Math.max(1, nextMs), () => this.#flush());
  }

  /** Sends a waiting change if it may go; otherwise says in how many ms to look again. */
  #pass(passing: Passing): number {
    const now = this.#clock.now();
    const waitMs = Math.max(passing.bucket.waitMs(now), isCritical(passing) ? 0 : this.#node.waitMs(now));
    if (waitMs > 0) return waitMs;
    passing.bucket.overdraw(now);
    this.#node.overdraw(now);
    const check = passing.pending as CheckRecord;
    passing.sent = check.status;
    passing.pending = null;
    this.#send(check);
    return Infinity;
  }
}

function isCritical({ pending }: Passing): boolean {
  return pending?.status === 'critical';
}
