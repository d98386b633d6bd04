import type { Clock } from '../../lib/index.ts';

/** A user event with Consul's eight members. */
export interface UserEvent {
  readonly ID: string;
  readonly Name: string;
  /** Base64; null without a payload. */
  readonly Payload: string | null;
  readonly NodeFilter: string;
  readonly ServiceFilter: string;
  readonly TagFilter: string;
  readonly Version: number;
  readonly LTime: number;
}

const KEPT = 256;

/** The last events, oldest first, and who waits for the next. */
export class EventLog {
  readonly #events: UserEvent[] = [];
  readonly #waiting = new Set<{ readonly name: string; readonly wake: () => void }>();

  add(event: UserEvent): void {
    this.#events.push(event);
    if (this.#events.length > KEPT) this.#events.shift();
    for (const waiter of this.#waiting) if (waiter.name === '' || waiter.name === event.Name) waiter.wake();
  }

  /** How many wait for an event. */
  get waiters(): number {
    return this.#waiting.size;
  }

  /** Events of the name, or all of them for an empty one. */
  list(name: string): readonly UserEvent[] {
    return name === '' ? this.#events : this.#events.filter((event) => event.Name === name);
  }

  /** Consul's index of a list: the halves of the last event's UUID, one xor the other; 1 for none. */
  index(name: string): string {
    const last = this.list(name).at(-1);
    if (last === undefined) return '1';
    const hex = last.ID.replaceAll('-', '');
    return String(BigInt(`0x${hex.slice(0, 16)}`) ^ BigInt(`0x${hex.slice(16)}`));
  }

  /** Resolves with the next event of the name, or when the time is up. Rejects with the signal's reason. */
  changed(name: string, clock: Clock, waitMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        this.#waiting.delete(waiter);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => end(() => reject(signal.reason as Error));
      const waiter = { name, wake: () => end(resolve) };
      const timer = clock.after(waitMs, () => end(resolve));
      this.#waiting.add(waiter);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }
}
