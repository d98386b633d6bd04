import type { Clock, Timer } from '../../lib/index.ts';
import type { Lease, Write } from '../contract.ts';
import { leaseLost, storeClosed } from '../errors.ts';
import type { EtcdClient } from './client.ts';
import { EtcdCallFailed } from './client.ts';

export interface EtcdLeasesOptions {
  readonly client: EtcdClient;
  readonly clock: Clock;
  readonly errorOf: (failure: unknown) => Error;
}

/**
 * The leases that this process has taken. Each is held to be lost as soon as its time since the last keepalive that succeeded, counted
 * from when that was *sent*, has passed on the monotonic clock: before etcd can give its keys to anybody (store.md 2.4, traps 7 and 11).
 */
export class EtcdLeases {
  readonly #options: EtcdLeasesOptions;
  readonly #held = new Map<string, EtcdLease>();
  #closed = false;

  constructor(options: EtcdLeasesOptions) {
    this.#options = options;
  }

  /** A new lease; etcd may make it longer than asked for. */
  async grant(ttlMs: number): Promise<Lease> {
    const sentAtMs = this.#options.clock.now();
    const granted = await this.#options.client.leaseGrant(Math.ceil(ttlMs / 1_000)).catch((error: unknown) => {
      throw this.#options.errorOf(error);
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    const lease = new EtcdLease(granted.ID, Number(granted.TTL) * 1_000, sentAtMs, this.#options, promise, () => {
      this.#held.delete(lease.id);
      resolve();
    });
    if (this.#closed) lease.stop();
    else this.#held.set(lease.id, lease);
    return lease;
  }

  /** @throws STORE_LEASE_LOST unless every lease that the writes name is alive and was taken here */
  check(writes: readonly Write[]): void {
    for (const write of writes) {
      if (write.type !== 'put' || write.lease === undefined) continue;
      const held = this.#held.get(write.lease.id);
      if (held !== write.lease || !held.isAlive()) throw leaseLost(write.lease.id);
    }
  }

  /** etcd has said that one of these is gone: it is not known which. */
  async askFor(writes: readonly Write[]): Promise<void> {
    const named = new Set(
      writes.flatMap((write) => (write.type === 'put' && write.lease !== undefined ? [write.lease] : [])),
    );
    await Promise.allSettled([...named].map((lease) => lease.keepAlive()));
  }

  /** Ends no lease: those who took them may be gone, and another process may still count on their keys. */
  close(): void {
    this.#closed = true;
    for (const lease of this.#held.values()) lease.stop();
    this.#held.clear();
  }
}

class EtcdLease implements Lease {
  readonly id: string;
  readonly ttlMs: number;
  readonly lost: Promise<void>;
  readonly #rawId: bigint;
  readonly #options: EtcdLeasesOptions;
  readonly #settleLost: () => void;
  #deadlineMs: number;
  #timer: Timer;
  #state: 'alive' | 'lost' | 'stopped' = 'alive';
  #revoking: Promise<void> | undefined;

  constructor(
    rawId: bigint,
    ttlMs: number,
    sentAtMs: number,
    options: EtcdLeasesOptions,
    lost: Promise<void>,
    settleLost: () => void,
  ) {
    this.id = String(rawId);
    this.ttlMs = ttlMs;
    this.#rawId = rawId;
    this.#options = options;
    this.lost = lost;
    this.#settleLost = settleLost;
    this.#deadlineMs = sentAtMs + ttlMs;
    this.#timer = this.#arm();
  }

  // A timer comes late in a process that stood still; the clock does not.
  isAlive(): boolean {
    if (this.#state === 'alive' && this.#options.clock.now() >= this.#deadlineMs) this.#expire();
    return this.#state === 'alive';
  }

  async keepAlive(): Promise<void> {
    if (!this.isAlive()) throw leaseLost(this.id);
    const { client, clock, errorOf } = this.#options;
    const sentAtMs = clock.now();
    const timeoutMs = Math.max(1, this.#deadlineMs - sentAtMs);
    const seconds = await client.leaseKeepAlive(this.#rawId, { timeoutMs }).catch((error: unknown) => {
      if (isGone(error)) return 0;
      throw this.isAlive() ? errorOf(error) : leaseLost(this.id);
    });
    if (seconds <= 0) this.#lose();
    // An answer that comes when the time is up comes too late: whoever holds it may have been told.
    if (!this.isAlive()) throw leaseLost(this.id);
    this.#deadlineMs = Math.max(this.#deadlineMs, sentAtMs + seconds * 1_000);
    this.#timer.cancel();
    this.#timer = this.#arm();
  }

  revoke(): Promise<void> {
    if (this.#state === 'stopped') return Promise.reject(storeClosed());
    this.#revoking ??= this.#revoke();
    return this.#revoking;
  }

  stop(): void {
    this.#timer.cancel();
    if (this.#state === 'alive') this.#state = 'stopped';
  }

  async #revoke(): Promise<void> {
    try {
      await this.#options.client.leaseRevoke(this.#rawId);
    } catch (error) {
      if (!isGone(error)) throw this.#options.errorOf(error);
    } finally {
      this.#lose();
    }
  }

  #arm(): Timer {
    return this.#options.clock.after(Math.max(0, this.#deadlineMs - this.#options.clock.now()), () => this.#expire());
  }

  /** Time is up for us: etcd is asked to end it as well, so that its keys go now. */
  #expire(): void {
    if (this.#state !== 'alive') return;
    this.#lose();
    this.#options.client.leaseRevoke(this.#rawId).catch(() => {});
  }

  #lose(): void {
    this.#timer.cancel();
    if (this.#state === 'alive') this.#state = 'lost';
    this.#settleLost();
  }
}

function isGone(error: unknown): boolean {
  return error instanceof EtcdCallFailed && error.kind === 'no-lease';
}
