import type { Clock, Timer } from '../lib/index.ts';

/** A run that went well. */
export interface Ran {
  readonly node: string;
  /** The title of its watch. */
  readonly watch: string;
  readonly handler: string;
  readonly ending: string;
  readonly ms: number;
  /** What a script said; mostly nothing. */
  readonly output?: string;
}

/** Where it is told. */
export interface TallyLog {
  debug(fields: object, text: string): void;
  info(fields: object, text: string): void;
}

const WINDOW_MS = 1_000;
const MOST_TITLES = 5;

/**
 * Tells the log of handlers that have run: the first at once, and those of the next second with one line, since an event runs
 * those of a hundred nodes in the same moment. What a script says has always a line of its own; `debug` has them all.
 */
export class RunTally implements Disposable {
  readonly #clock: Clock;
  readonly #log: TallyLog;
  #window: Timer | null = null;
  #count = 0;
  #longestMs = 0;
  readonly #titles = new Set<string>();

  constructor(options: { readonly clock: Clock; readonly log: TallyLog }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** One more. */
  add(ran: Ran): void {
    if (this.#window === null || ran.output !== undefined) {
      this.#window ??= this.#clock.after(WINDOW_MS, () => this.#end());
      this.#log.info(ran, 'a handler has run');
      return;
    }
    this.#log.debug(ran, 'a handler has run');
    this.#count++;
    this.#longestMs = Math.max(this.#longestMs, ran.ms);
    if (this.#titles.size < MOST_TITLES) this.#titles.add(ran.watch);
  }

  /** Tells what was not told yet. */
  [Symbol.dispose](): void {
    this.#window?.cancel();
    this.#end();
  }

  #end(): void {
    this.#window = null;
    if (this.#count === 0) return;
    const fields = { runs: this.#count, watches: [...this.#titles], longestMs: this.#longestMs };
    this.#log.info(fields, 'more handlers have run');
    this.#count = 0;
    this.#longestMs = 0;
    this.#titles.clear();
  }
}
