import { consumerKey, type ConsumerId, type Took } from '../change/index.ts';
import type { Clock, Timer } from '../lib/index.ts';

/** At most ten batches a second (semantics 6). */
const BETWEEN_MS = 100;
/** Of one consumer; what is left out is measured where it is heard. */
const MOST_TOOK = 64;

interface Waiting {
  readonly consumer: ConsumerId;
  readonly took: Took[];
}

/** What is to be told next. */
export interface Outgoing {
  readonly consumers: readonly Waiting[];
  readonly sessions: readonly string[];
}

/** What one server has still to tell another: each thing once, however often it came up; the first of it at once. */
export class PeerOutbox implements Disposable {
  readonly #clock: Clock;
  readonly #flush: (outgoing: Outgoing) => void;
  #consumers = new Map<string, Waiting>();
  #sessions = new Set<string>();
  #timer: Timer | null = null;
  #flushedAtMs = -Infinity;

  constructor({ clock, flush }: { readonly clock: Clock; readonly flush: (outgoing: Outgoing) => void }) {
    this.#clock = clock;
    this.#flush = flush;
  }

  /** Something became known of a consumer. */
  heard(consumer: ConsumerId, took: readonly Took[]): void {
    const key = consumerKey(consumer);
    const waiting = this.#consumers.get(key) ?? { consumer, took: [] };
    waiting.took.push(...took);
    if (waiting.took.length > MOST_TOOK) waiting.took.splice(0, waiting.took.length - MOST_TOOK);
    this.#consumers.set(key, waiting);
    this.wake();
  }

  /** A session was renewed. */
  renewed(session: string): void {
    this.#sessions.add(session);
    this.wake();
  }

  /** There is something to tell. */
  wake(): void {
    if (this.#timer !== null) return;
    const delayMs = Math.max(0, this.#flushedAtMs + BETWEEN_MS - this.#clock.now());
    this.#timer = this.#clock.after(delayMs, () => this.#now());
  }

  /** What waits is not told: all of it is told anew. */
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#consumers.clear();
    this.#sessions.clear();
  }

  #now(): void {
    this.#timer = null;
    this.#flushedAtMs = this.#clock.now();
    const outgoing = { consumers: [...this.#consumers.values()], sessions: [...this.#sessions] };
    this.#consumers = new Map();
    this.#sessions = new Set();
    this.#flush(outgoing);
  }
}
