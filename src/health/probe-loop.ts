import type { CheckDefinition } from '../definition/index.ts';
import type { Clock, Slots, Timer } from '../lib/index.ts';
import type { CheckStatus } from '../registry/index.ts';
import { firstDelayMs, nextDelayMs } from './cadence.ts';
import { type Standing, judge, thresholdsOf } from './rise-fall.ts';
import type { Probe, Verdict } from './verdict.ts';

/** A slot is for beginning, not for waiting: a script that runs longer gives it back, so that hung ones block nobody. */
const SLOT_MS = 2_000;
/** After so many runs in a row that the agent could not do, the check is critical: nobody knows better. */
const MOST_EXCUSES = 3;

/** What a loop tells after each run; `status` is after rise and fall. */
export type Observe = (seen: { readonly status: CheckStatus; readonly output: string }) => void;

export interface ProbeLoopOptions {
  readonly definition: CheckDefinition;
  readonly probe: Probe;
  readonly status: CheckStatus;
  readonly observe: Observe;
  readonly clock: Clock;
  readonly random: () => number;
  /** How many checks the agent has: their first runs are spread. */
  readonly count: number;
  readonly slots?: Slots;
}

/** Runs one check again and again, never two runs of it at once. */
export class ProbeLoop {
  readonly #options: ProbeLoopOptions;
  readonly #stop = new AbortController();
  readonly #stopped: Promise<void>;
  #standing: Standing;
  #excuses = 0;
  #runs = 0;
  #timer: Timer;
  #running: Promise<void> | null = null;

  constructor(options: ProbeLoopOptions) {
    this.#options = options;
    this.#stopped = new Promise((resolve) => this.#stop.signal.addEventListener('abort', () => resolve()));
    this.#standing = { status: options.status, successes: 0, failures: 0 };
    this.#timer = this.#plan(firstDelayMs(options.definition, options.count, options.random));
  }

  /** Ends what runs; resolves when it has ended. */
  async stop(): Promise<void> {
    this.#timer.cancel();
    this.#stop.abort();
    await this.#running;
  }

  #plan(delayMs: number): Timer {
    return this.#options.clock.after(delayMs, () => void (this.#running = this.#run()));
  }

  async #run(): Promise<void> {
    const { clock, definition, random } = this.#options;
    const startedAt = clock.now();
    const verdict = await this.#probe();
    if (this.#stop.signal.aborted) return;
    this.#take(verdict);
    // A process that the kernel holds would otherwise get company at every interval.
    await Promise.race([verdict.gone, this.#stopped]);
    if (this.#stop.signal.aborted) return;
    this.#running = null;
    this.#timer = this.#plan(nextDelayMs(definition, { runs: ++this.#runs, tookMs: clock.now() - startedAt }, random));
  }

  async #probe(): Promise<Verdict> {
    const { probe, slots, clock } = this.#options;
    const { signal } = this.#stop;
    try {
      const giveBack = (await slots?.take(signal)) ?? (() => {});
      const patience = clock.after(SLOT_MS, giveBack);
      try {
        return await probe(signal);
      } finally {
        patience.cancel();
        giveBack();
      }
    } catch (error) {
      return { status: null, output: `check did not run: ${error instanceof Error ? error.message : String(error)}` };
    }
  }

  #take(verdict: Verdict): void {
    this.#excuses = verdict.status === null ? this.#excuses + 1 : 0;
    const result = verdict.status ?? (this.#excuses > MOST_EXCUSES ? 'critical' : null);
    if (result !== null) this.#standing = judge(this.#standing, result, thresholdsOf(this.#options.definition));
    this.#options.observe({ status: this.#standing.status, output: verdict.output });
  }
}
