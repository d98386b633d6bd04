import type { Clock, Timer } from '../lib/index.ts';
import type { CheckStatus } from '../registry/index.ts';

/** A service that a check says to deregister. */
export interface CriticalTooLong {
  readonly serviceId: string;
  readonly checkId: string;
}

/** Reports a service when a check of it was critical for its `DeregisterCriticalServiceAfter`, and again while it stays. */
export class CriticalWatch {
  readonly #clock: Clock;
  readonly #leastMs: number;
  readonly #report: (service: CriticalTooLong) => void;
  readonly #timers = new Map<string, Timer>();

  /** @param options.leastMs the shortest time that counts: Consul's is a minute. */
  constructor(options: {
    readonly clock: Clock;
    readonly leastMs: number;
    readonly report: (service: CriticalTooLong) => void;
  }) {
    this.#clock = options.clock;
    this.#leastMs = options.leastMs;
    this.#report = options.report;
  }

  /** Says what a check is now. */
  note(service: CriticalTooLong, status: CheckStatus, afterMs: number | undefined): void {
    if (status !== 'critical' || afterMs === undefined || service.serviceId === '') this.forget(service.checkId);
    else if (!this.#timers.has(service.checkId)) this.#arm(service, Math.max(afterMs, this.#leastMs));
  }

  forget(checkId: string): void {
    this.#timers.get(checkId)?.cancel();
    this.#timers.delete(checkId);
  }

  close(): void {
    for (const checkId of this.#timers.keys()) this.forget(checkId);
  }

  #arm(service: CriticalTooLong, afterMs: number): void {
    const timer = this.#clock.after(afterMs, () => {
      this.#arm(service, this.#leastMs);
      this.#report(service);
    });
    this.#timers.set(service.checkId, timer);
  }
}
