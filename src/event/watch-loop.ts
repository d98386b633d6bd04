import { Backoff, type Clock, messageOf } from '../lib/index.ts';
import type { ApiAnswer, Ask } from './ask.ts';
import { decideRun, type RunDecision, stateFor, type WatchState } from './decide-run.ts';
import { followAnswers } from './follow-answers.ts';
import { type HandlerCall, type HandlerResult, type RunHandler, showHandler } from './handler.ts';
import type { RunTally } from './run-tally.ts';
import type { SavedWatch } from './saved-watch.ts';
import type { WatchDefinition } from './watch.ts';

/** What the log is told: failures, once for each series. */
export interface EventTold {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
}

export interface WatchLoopOptions {
  readonly watch: WatchDefinition;
  readonly ask: Ask;
  readonly saved: SavedWatch;
  readonly runHandler: RunHandler;
  readonly clock: Clock;
  readonly log: EventTold;
  /** Told of runs that went well; nobody is unless there is one. */
  readonly tally?: RunTally;
  /** More variables for scripts. */
  readonly variables?: Readonly<Record<string, string>>;
}

const RETRY_MS = { firstMs: 1_000, mostMs: 300_000 };
/** Events behind one that its handler does not take wait for it, but not for ever. */
const EVENT_TRIES = 5;
/** A reason of its own for each would cost a stack trace. */
const HURRY = Object.freeze(new Error('there is something else'));
/** A handler that runs when the agent stops has so long to end by itself. */
const STOP_MS = 3_000;

/**
 * One watch: asks, and runs its handler when what there is differs from what the handler was given last, also across restarts.
 * One run at a time; what changes meanwhile is taken up by the next, which gets the newest. A failed run is tried again, ever
 * later, or as soon as there is something else.
 */
export class WatchLoop implements AsyncDisposable {
  readonly #options: WatchLoopOptions;
  /** Who it is, for the log. */
  readonly #fields: { readonly watch: string; readonly handler: string };
  readonly #asking = new AbortController();
  readonly #running = new AbortController();
  readonly #backoff = new Backoff(RETRY_MS);
  #state: WatchState;
  #latest: ApiAnswer | null = null;
  /** Ends the wait before the next try. */
  #hurry = new AbortController();
  #isBusy = false;
  #work: Promise<void> = Promise.resolve();
  #following: Promise<void> = Promise.resolve();

  private constructor(options: WatchLoopOptions, state: WatchState) {
    const { query, handler } = options.watch;
    this.#options = options;
    this.#fields = { watch: query.title, handler: showHandler(handler) };
    this.#state = state;
  }

  /** Starts with what was handed over before. */
  static async start(options: WatchLoopOptions): Promise<WatchLoop> {
    const loop = new WatchLoop(options, await options.saved.load());
    loop.#following = loop.#follow();
    return loop;
  }

  /** Asks no more; a handler that runs has a moment to end, and is stopped then: it runs again at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#asking.abort();
    this.#hurry.abort();
    const timer = this.#options.clock.after(STOP_MS, () => this.#running.abort());
    await this.#following;
    await this.#work;
    timer.cancel();
    this.#running.abort();
    await this.#options.saved.settled();
  }

  async #follow(): Promise<void> {
    const { ask, watch, clock } = this.#options;
    const options = {
      ask,
      path: () => pathFor(watch.query, this.#state),
      clock,
      onTrouble: (error: unknown) => this.#tellTrouble(error),
    };
    for await (const answer of followAnswers(options, this.#asking.signal)) {
      const isOther = answer.body !== this.#latest?.body || answer.status !== this.#latest.status;
      if (this.#latest === null) this.#state = stateFor(this.#state, answer);
      this.#latest = answer;
      if (isOther) this.#hurry.abort(HURRY);
      this.#begin();
    }
  }

  #begin(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#work = this.#takeUp();
  }

  /** Runs the handler until it has been given what is now. Never rejects. */
  async #takeUp(): Promise<void> {
    for (;;) {
      const decision = this.#asking.signal.aborted ? null : this.#decide();
      // In the turn in which nothing was found to do, or an answer that comes now would be taken up by nobody.
      if (decision === null) this.#isBusy = false;
      if (decision === null) return;
      await this.#act(decision);
    }
  }

  async #act({ input, after }: RunDecision): Promise<void> {
    if (input === null) {
      this.#keep(after);
      return;
    }
    this.#hurry = new AbortController();
    const result = await this.#run(input.value, this.#latest as ApiAnswer);
    if (!result.ok) return this.#afterFailure(after);
    this.#backoff.reset();
    this.#keep(after);
  }

  /** Null: nothing is to be done. */
  #decide(): RunDecision | null {
    try {
      const decision = decideRun(this.#options.watch.query.type, this.#state, this.#latest as ApiAnswer);
      return decision.input === null && isSame(decision.after, this.#state) ? null : decision;
    } catch (error) {
      this.#options.log.warn(this.#fields, `an answer was not understood: ${messageOf(error)}`);
      return null;
    }
  }

  async #run(value: unknown, { index }: ApiAnswer): Promise<HandlerResult> {
    const { runHandler, watch, variables = {} } = this.#options;
    const { title, type } = watch.query;
    const call: HandlerCall = {
      input: `${JSON.stringify(value)}\n`,
      index: index === '' ? '1' : index,
      variables: { ...variables, DROVER_WATCH: title, DROVER_WATCH_TYPE: type },
    };
    const result = await runHandler(watch.handler, call, this.#running.signal);
    this.#tell(result);
    return result;
  }

  /** What an HTTP handler answers is of interest only when it failed. */
  #tell({ ok, ending, output, durationMs }: HandlerResult): void {
    const { watch, variables = {}, tally, log } = this.#options;
    const said = output === '' || (ok && watch.handler.type === 'http') ? {} : { output };
    const fields = { ...this.#fields, ending, ms: Math.round(durationMs), ...said };
    if (ok) tally?.add({ node: variables['DROVER_NODE'] ?? '', ...fields });
    else if (!this.#asking.signal.aborted) log.warn(fields, 'a handler failed');
  }

  /** Waits before the next try. */
  async #afterFailure(after: WatchState): Promise<void> {
    const { watch, clock, log } = this.#options;
    const waitMs = this.#backoff.next();
    if (watch.query.type === 'event' && this.#backoff.failures >= EVENT_TRIES) {
      log.warn(this.#fields, `events are given up after ${EVENT_TRIES} tries`);
      this.#backoff.reset();
      this.#keep(after);
      return;
    }
    await clock.sleep(waitMs, AbortSignal.any([this.#hurry.signal, this.#asking.signal])).catch(() => undefined);
  }

  #keep(after: WatchState): void {
    this.#state = after;
    this.#options.saved.save(after);
  }

  #tellTrouble(error: unknown): void {
    const { log } = this.#options;
    if (error === null) log.info(this.#fields, 'the watch goes on');
    else log.warn(this.#fields, `the watch waits: ${messageOf(error)}`);
  }
}

function isSame(one: WatchState, other: WatchState): boolean {
  return one.hash === other.hash && one.cursor === other.cursor;
}

/** Of events only those that are still to be handed over: the whole list every time would cost a hundred times as much. */
function pathFor({ type, path }: WatchDefinition['query'], { cursor }: WatchState): string {
  if (type !== 'event' || cursor === null) return path;
  return `${path}${path.includes('?') ? '&' : '?'}after=${cursor}`;
}
