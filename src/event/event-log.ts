import type { Clock } from '../lib/index.ts';
import type { ChangeBuilder, Held, Projection } from '../registry/index.ts';
import type { Batch, Entry, Revision } from '../store/index.ts';
import { decodeEvent, EVENT_FAMILY, eventKey, type FiredEvent } from './user-event.ts';

/** How many events the region keeps. */
export const KEPT_EVENTS = 256;

export interface EventLogOptions {
  /** Told of entries that drover did not write and cannot read; they are left out. */
  readonly report?: (error: unknown) => void;
}

/** The region's last events in the order in which they were fired, and who waits for the next. */
export class EventLog implements Projection {
  readonly families = [EVENT_FAMILY];
  readonly #report: (error: unknown) => void;
  readonly #byKey = new Map<string, FiredEvent>();
  /** The last 256 by name, the empty name for all of them; made when asked for. */
  readonly #lists = new Map<string, readonly FiredEvent[]>();
  readonly #waiting = new Set<() => void>();

  constructor(options: EventLogOptions = {}) {
    this.#report = options.report ?? (() => {});
  }

  /** The last 256, oldest first; the list is never changed but replaced. */
  get events(): readonly FiredEvent[] {
    return this.named('');
  }

  /** Those of them that have this name; all for the empty one. */
  named(name: string): readonly FiredEvent[] {
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    const made = name === '' ? this.all().slice(-KEPT_EVENTS) : this.named('').filter((event) => event.name === name);
    // Names of what never was, as anybody may ask for, would add up.
    if (name === '' || made.length > 0) this.#lists.set(name, made);
    return made;
  }

  /** Every event that the store still holds, oldest first. */
  all(): FiredEvent[] {
    return [...this.#byKey.values()].toSorted((a, b) => a.revision - b.revision || (a.id < b.id ? -1 : 1));
  }

  /** How many wait for an event. */
  get waiters(): number {
    return this.#waiting.size;
  }

  load(entries: Iterable<Entry>, _revision: Revision): void {
    this.#byKey.clear();
    this.#lists.clear();
    for (const entry of entries) this.#put(entry);
  }

  apply(batch: Batch, change: ChangeBuilder): void {
    this.#lists.clear();
    const named = new Set<string>();
    for (const event of batch.events) {
      if (event.type === 'delete') this.#byKey.delete(event.key);
      else if (this.#put(event.entry)) named.add((this.#byKey.get(event.entry.key) as FiredEvent).name);
    }
    for (const name of named) {
      change.topics.add(EVENT_FAMILY + encodeURIComponent(name));
      change.summary.push(`event ${name}`);
    }
    // Who waits looks for itself whether something is for them.
    if (named.size > 0) for (const wake of this.#waiting) wake();
  }

  *held(): Iterable<Held> {
    for (const event of this.#byKey.values()) yield { key: eventKey(event), modRevision: event.revision };
  }

  /** Resolves with true at the next event, with false when the time is up. Rejects with the signal's reason. */
  next(clock: Clock, waitMs: number, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        timer.cancel();
        this.#waiting.delete(wake);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      const onAbort = (): void => end(() => reject(signal.reason as Error));
      const wake = (): void => end(() => resolve(true));
      const timer = clock.after(waitMs, () => end(() => resolve(false)));
      this.#waiting.add(wake);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  #put(entry: Entry): boolean {
    try {
      this.#byKey.set(entry.key, decodeEvent(entry));
      return true;
    } catch (error) {
      this.#report(error);
      return false;
    }
  }
}
