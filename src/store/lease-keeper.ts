import { messageOf } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import type { Lease, Store } from './contract.ts';

/** A lease is renewed three times within its TTL, and counts for nothing two thirds of it after the last renewal was sent. */
const RENEWALS = 3;
const SAFE_PART = 2 / 3;

export interface LeaseKeeperOptions {
  readonly store: Pick<Store, 'lease'>;
  readonly ttlMs: number;
  readonly clock: Clock;
  /** Told of what failed, once in a row; it is tried again. */
  readonly report?: (error: unknown) => void;
}

/**
 * Keeps one lease alive, and gets another when it is lost. `lease` is there only while its holder may act: by the monotonic clock,
 * and early enough that nobody else can have been given what is under it (store.md 4).
 */
export class LeaseKeeper implements AsyncDisposable {
  readonly #options: LeaseKeeperOptions;
  readonly #closing = new AbortController();
  readonly #listeners = new Set<() => void>();
  #lease: Lease | null = null;
  /** Until when the lease may be relied upon, on the monotonic clock. */
  #safeUntilMs = 0;
  #timer: Timer | undefined;
  #said = '';
  #running: Promise<void> = Promise.resolve();

  /** Returns at once; the lease comes when the store gives one. */
  static start(options: LeaseKeeperOptions): LeaseKeeper {
    const keeper = new LeaseKeeper(options);
    keeper.#running = keeper.#keep();
    return keeper;
  }

  private constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** The lease, while it may be relied upon; null otherwise. */
  get lease(): Lease | null {
    return this.#options.clock.now() < this.#safeUntilMs ? this.#lease : null;
  }

  /** Called whenever `lease` may have become another one, or null. Returns how to end that. */
  onChange(listen: () => void): () => void {
    const listener = (): void => listen();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Gives the lease back, with all keys under it; as long as the store takes, a third of the TTL at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    const lease = this.#lease;
    this.#safeUntilMs = 0;
    this.#closing.abort();
    this.#timer?.cancel();
    this.#tell();
    this.#listeners.clear();
    await this.#running;
    if (lease !== null) await this.#within(lease.revoke(), null).catch(() => undefined);
  }

  async #keep(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const isKept = await this.#renew();
      const pauseMs = this.#options.ttlMs / RENEWALS;
      // What failed is tried again sooner: there may be little time left.
      await this.#options.clock.sleep(isKept ? pauseMs : pauseMs / 4, signal).catch(() => undefined);
    }
  }

  /** Renews the lease, or gets one; whether that was so. Never rejects. */
  async #renew(): Promise<boolean> {
    // As of when it was sent: that it came back late makes it no longer.
    const sentMs = this.#options.clock.now();
    try {
      if (this.#lease === null) this.#take(await this.#within(this.#grant()));
      else await this.#within(this.#lease.keepAlive());
      if (this.#closing.signal.aborted || this.#lease === null) return false;
      this.#said = '';
      this.#hold(sentMs, this.#lease.ttlMs);
      return true;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  /** A lease that comes too late to be used is given back. */
  async #grant(): Promise<Lease> {
    const { store, ttlMs, clock } = this.#options;
    const askedMs = clock.now();
    const lease = await store.lease(ttlMs);
    const isLate = clock.now() - askedMs > ttlMs / RENEWALS;
    if (isLate || this.#closing.signal.aborted) void lease.revoke().catch(() => undefined);
    return lease;
  }

  #take(lease: Lease): void {
    this.#lease = lease;
    void lease.lost.then(() => this.#lose(lease));
  }

  #hold(sentMs: number, ttlMs: number): void {
    const wasHeld = this.lease !== null;
    this.#safeUntilMs = sentMs + Math.min(ttlMs, this.#options.ttlMs) * SAFE_PART;
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(this.#safeUntilMs - this.#options.clock.now(), () => this.#tell());
    if (!wasHeld) this.#tell();
  }

  #fail(error: unknown): void {
    if (this.#closing.signal.aborted) return;
    if (messageOf(error) !== this.#said) this.#options.report?.(error);
    this.#said = messageOf(error);
  }

  #lose(lease: Lease): void {
    if (this.#lease !== lease) return;
    this.#lease = null;
    this.#safeUntilMs = 0;
    this.#timer?.cancel();
    this.#tell();
  }

  #tell(): void {
    for (const listen of this.#listeners) listen();
  }

  /** Nobody waits for a store that does not answer: what is asked again may be answered by another member. */
  #within<T>(asked: Promise<T>, signal: AbortSignal | null = this.#closing.signal): Promise<T> {
    const { clock, ttlMs } = this.#options;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', giveUp);
        reject(new Error('the store does not answer for a lease'));
      };
      const timer = clock.after(ttlMs / RENEWALS, giveUp);
      signal?.addEventListener('abort', giveUp);
      asked.then(resolve, reject).finally(giveUp);
    });
  }
}
