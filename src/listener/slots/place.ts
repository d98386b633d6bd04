import { messageOf, type Clock, type Timer } from '../../lib/index.ts';
import type { RegionQuestions } from '../../link/index.ts';
import { KEPT_FOR_MS } from './why-freed.ts';

/** Why a run has to wait. */
export interface PlaceWait {
  readonly group: string;
  /** How many go before; null: no server could be asked. */
  readonly ahead: number | null;
  /** When to ask again, in ms. */
  readonly againMs: number;
}

export interface PlaceOptions {
  readonly group: string;
  /** `5` or `10%`. */
  readonly most: string;
  /** How long a run may take; null: for ever. */
  readonly limitMs: number | null;
  /** Asks the region over the node's link. */
  readonly ask: (ask: RegionQuestions['slot']['ask']) => Promise<RegionQuestions['slot']['answer']>;
  readonly clock: Clock;
  readonly log?: (text: string) => void;
}

const AGAIN_MS = 500;
const AGAIN_MOST_MS = 5_000;

/** A node's place among those of its group that may provision at once: asked for before a run, kept while it lasts, given back after it. */
export class Place implements Disposable {
  readonly #options: PlaceOptions;
  #state: 'none' | 'waiting' | 'held' | 'returning' = 'none';
  #timer: Timer | null = null;
  #isClosed = false;

  constructor(options: PlaceOptions) {
    this.#options = options;
  }

  /** Resolves with null when the node may run now. Never rejects. */
  async take(): Promise<PlaceWait | null> {
    if (this.#state === 'held') return null;
    const { group } = this.#options;
    this.#timer?.cancel();
    this.#state = 'waiting';
    try {
      const { granted, ahead } = await this.#ask('take');
      if (!granted) return { group, ahead, againMs: Math.min(AGAIN_MOST_MS, AGAIN_MS + ahead * 20) };
      this.#hold();
      return null;
    } catch (error) {
      this.#options.log?.(`no place in group ${group} could be asked for: ${messageOf(error)}`);
      return { group, ahead: null, againMs: AGAIN_MS * 2 };
    }
  }

  /** A run of an agent before this one goes on: it has a place, whoever says so. */
  adopt(): void {
    this.#hold();
    void this.#keep();
  }

  /** The run has ended, or nothing is to run any more. */
  release(): void {
    if (this.#state === 'none' || this.#state === 'returning') return;
    this.#timer?.cancel();
    this.#state = 'returning';
    void this.#return();
  }

  /** Says nothing any more. A run goes on, and keeps its place. */
  [Symbol.dispose](): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  #hold(): void {
    this.#state = 'held';
    this.#after(KEPT_FOR_MS / 3, () => this.#keep());
  }

  async #keep(): Promise<void> {
    if (this.#state !== 'held') return;
    // A server that cannot be asked waits for the next time: meanwhile the place is the node's.
    await this.#ask('keep').catch(() => undefined);
    if (this.#state === 'held') this.#after(KEPT_FOR_MS / 3, () => this.#keep());
  }

  /** Until a server has heard it. */
  async #return(): Promise<void> {
    try {
      await this.#ask('release');
      if (this.#state === 'returning') this.#state = 'none';
    } catch {
      if (this.#state === 'returning') this.#after(AGAIN_MOST_MS, () => this.#return());
    }
  }

  #ask(action: 'take' | 'keep' | 'release'): ReturnType<PlaceOptions['ask']> {
    const { group, most, limitMs, ask } = this.#options;
    return ask({ action, group, most, limitMs });
  }

  #after(delayMs: number, task: () => Promise<void>): void {
    this.#timer?.cancel();
    if (!this.#isClosed) this.#timer = this.#options.clock.after(delayMs, () => void task());
  }
}
