import type { Clock, Timer } from '../lib/index.ts';
import type { Lease, Write } from './contract.ts';
import { badLease, leaseLost } from './errors.ts';

/** The longest TTL that a timer can wait for. */
const MAX_TTL_MS = 2 ** 31 - 1;

export interface LeasesOptions {
  readonly clock: Clock;
  /** Deletes the lease and its keys in one revision. Called once per lease, by revocation or when its time is up. */
  readonly remove: (id: string) => Promise<void>;
}

/** The running leases of an embedded store: who is alive, and until when on the monotonic clock. */
export class Leases {
  readonly #clock: Clock;
  readonly #remove: (id: string) => Promise<void>;
  readonly #held = new Map<string, HeldLease>();

  constructor(options: LeasesOptions) {
    this.#clock = options.clock;
    this.#remove = options.remove;
  }

  /** Starts the full TTL of a lease that the engine has stored. */
  hold(id: string, ttlMs: number): Lease {
    const lease = new HeldLease(id, ttlMs, this.#clock, async () => {
      this.#held.delete(id);
      await this.#remove(id);
    });
    this.#held.set(id, lease);
    return lease;
  }

  /** @throws STORE_LEASE_LOST unless every lease that the writes name is alive and of this store. */
  check(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.type !== 'put' || write.lease === undefined) continue;
      if (this.#held.get(write.lease.id) !== write.lease) throw leaseLost(write.lease.id);
    }
  }

  /** Stops all timers; nothing expires any more. */
  close(): void {
    for (const lease of this.#held.values()) lease.stop();
    this.#held.clear();
  }
}

/** @throws STORE_BAD_LEASE unless the TTL is something a timer can wait for. */
export function checkTtl(ttlMs: number): void {
  if (!(ttlMs >= 1 && ttlMs <= MAX_TTL_MS)) throw badLease(ttlMs);
}

class HeldLease implements Lease {
  readonly id: string;
  readonly ttlMs: number;
  readonly lost: Promise<void>;
  readonly #clock: Clock;
  readonly #remove: () => Promise<void>;
  readonly #settleLost: () => void;
  #timer: Timer;
  #ending: Promise<void> | undefined;
  #stopped = false;

  constructor(id: string, ttlMs: number, clock: Clock, remove: () => Promise<void>) {
    this.id = id;
    this.ttlMs = ttlMs;
    this.#clock = clock;
    this.#remove = remove;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.lost = promise;
    this.#settleLost = resolve;
    this.#timer = this.#arm();
  }

  keepAlive(): Promise<void> {
    if (this.#ending !== undefined || this.#stopped) return Promise.reject(leaseLost(this.id));
    this.#timer.cancel();
    this.#timer = this.#arm();
    return Promise.resolve();
  }

  revoke(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer.cancel();
  }

  #arm(): Timer {
    // A removal that fails has failed the store, which tells so itself.
    return this.#clock.after(this.ttlMs, () => void this.revoke().catch(() => {}));
  }

  async #end(): Promise<void> {
    this.#timer.cancel();
    try {
      await this.#remove();
    } finally {
      this.#settleLost();
    }
  }
}
