import { isDeepStrictEqual } from 'node:util';
import { Backoff, type Clock, messageOf, type Timer } from '../lib/index.ts';
import type { ApiAnswer, Ask } from './ask.ts';
import { followAnswers } from './follow-answers.ts';
import { type RunHandler, showHandler } from './handler.ts';
import { digestOf, type PassingInstance, passingInstances } from './passing-instances.ts';
import { nextDeadline, type Reacted, reactToSight, reactToTime, withinReach } from './react.ts';
import { queueAct, type ReactionAct, reactionCall } from './reaction-call.ts';
import { type Happening, passingPath, type ReactionDefinition } from './reaction.ts';
import type { ReactionRecord, SavedReaction } from './saved-reaction.ts';
import type { EventTold } from './watch-loop.ts';

export interface ReactionLoopOptions {
  readonly reaction: ReactionDefinition;
  readonly ask: Ask;
  readonly saved: SavedReaction;
  readonly runHandler: RunHandler;
  readonly clock: Clock;
  readonly log: EventTold;
  readonly variables?: Readonly<Record<string, string>>;
}

const RETRY_MS = { firstMs: 1_000, mostMs: 60_000 };
/** What waits behind a handler that fails comes up in the end. */
const TRIES = 5;
const STOP_MS = 3_000;

const SAID: Readonly<Record<Happening, string>> = {
  down: 'is down',
  missing: 'is not back in time',
  up: 'is up',
  relapse: 'is down again while it was kept an eye on',
  well: 'is well',
};

/**
 * One reaction: sees a service, decides (`react.ts`), writes down what is to be done, then does it in order. Deadlines and what
 * is still to be done survive restarts.
 */
export class ReactionLoop implements AsyncDisposable {
  readonly #options: ReactionLoopOptions;
  readonly #stop = new AbortController();
  readonly #running = new AbortController();
  /** Wall-clock time when the monotonic clock showed 0. */
  readonly #epochMs: number;
  #record: ReactionRecord;
  #instances: readonly PassingInstance[] | null = null;
  #isExpectedThere: boolean | null = null;
  #timer: Timer | null = null;
  #isBusy = false;
  #work: Promise<void> = Promise.resolve();
  #following: Promise<unknown> = Promise.resolve();

  private constructor(options: ReactionLoopOptions, record: ReactionRecord) {
    const { clock, reaction } = options;
    this.#options = options;
    this.#epochMs = clock.wall() - clock.now();
    this.#record = { ...record, state: withinReach(reaction, record.state, clock.wall()) };
  }

  /** What deadlines are measured with: the wall clock of the start, whoever sets it since. */
  get #nowMs(): number {
    return this.#epochMs + this.#options.clock.now();
  }

  /** Starts where it stood. */
  static async start(options: ReactionLoopOptions): Promise<ReactionLoop> {
    const loop = new ReactionLoop(options, await options.saved.load());
    loop.#following = loop.#follow();
    return loop;
  }

  /** Looks no more; a handler that runs has a moment to end, and is stopped then: it runs again at the next start. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#timer?.cancel();
    const timer = this.#options.clock.after(STOP_MS, () => this.#running.abort());
    await this.#following;
    await this.#work;
    timer.cancel();
    this.#running.abort();
  }

  #follow(): Promise<unknown> {
    const { service, tags, expect } = this.#options.reaction;
    const own = this.#each(passingPath(service, tags), (instances) => {
      this.#instances = instances;
      if (expect?.service === service || expect === null) this.#isExpectedThere = instances.length > 0;
    });
    if (expect === null || expect.service === service) return own;
    const other = this.#each(passingPath(expect.service, []), (instances) => {
      this.#isExpectedThere = instances.length > 0;
    });
    return Promise.all([own, other]);
  }

  async #each(path: string, take: (instances: readonly PassingInstance[]) => void): Promise<void> {
    const { ask, clock } = this.#options;
    const options = { ask, path: () => path, clock, onTrouble: (error: unknown) => this.#tellTrouble(error) };
    for await (const answer of followAnswers(options, this.#stop.signal)) {
      const instances = this.#read(answer);
      if (instances === null) continue;
      take(instances);
      this.#look();
    }
  }

  #read(answer: ApiAnswer): readonly PassingInstance[] | null {
    try {
      return passingInstances(answer);
    } catch (error) {
      this.#tell('warn', `an answer was not understood: ${messageOf(error)}`);
      return null;
    }
  }

  /** Both have been seen: what follows from that, and from the time. */
  #look(): void {
    if (this.#instances === null || this.#isExpectedThere === null) return;
    const { reaction } = this.#options;
    const sight = { instances: digestOf(this.#instances), isExpectedThere: this.#isExpectedThere };
    this.#take(reactToSight(reaction, this.#record.state, sight, this.#nowMs));
    this.#lookAtTime();
  }

  #lookAtTime(): void {
    const { reaction, clock } = this.#options;
    this.#take(reactToTime(reaction, this.#record.state, this.#nowMs));
    this.#timer?.cancel();
    this.#timer = null;
    const deadline = nextDeadline(this.#record.state);
    if (deadline === null || this.#stop.signal.aborted) return;
    // At least a moment: a clock that is behind its timers would be asked again and again.
    this.#timer = clock.after(Math.max(10, deadline - this.#nowMs), () => this.#lookAtTime());
  }

  #take({ state, happenings }: Reacted): void {
    const isNew = happenings.length > 0 || !isDeepStrictEqual(state, this.#record.state);
    if (isNew) this.#record = { state, waiting: this.#queue(happenings) };
    if (isNew || this.#record.waiting.length > 0) this.#begin();
  }

  #queue(happenings: readonly Happening[]): readonly ReactionAct[] {
    const { reaction, clock } = this.#options;
    const atMs = clock.wall();
    const { waiting } = this.#record;
    // What runs is not taken back.
    const running = this.#isBusy ? waiting.slice(0, 1) : [];
    let later = waiting.slice(running.length);
    for (const happening of happenings) {
      this.#tell('info', `${reaction.service} ${SAID[happening]}`, { happening });
      if (reaction.handlers[happening] === undefined) continue;
      later = [...queueAct(later, { happening, atMs, instances: this.#instances ?? [] })];
    }
    return [...running, ...later];
  }

  #begin(): void {
    if (this.#isBusy) return;
    this.#isBusy = true;
    this.#work = this.#doAll();
  }

  /** Writes down where it stands before it acts, and after each act. Never rejects. */
  async #doAll(): Promise<void> {
    let saved: ReactionRecord | null = null;
    for (;;) {
      while (saved !== this.#record) {
        saved = this.#record;
        await this.#save(saved);
      }
      const [act] = this.#record.waiting;
      if (act === undefined || this.#stop.signal.aborted) break;
      if (!(await this.#do(act))) break;
      const [, ...waiting] = this.#record.waiting;
      this.#record = { ...this.#record, waiting };
    }
    this.#isBusy = false;
  }

  /** Runs a handler until it succeeds or has been tried often enough; false when the agent stops before. */
  async #do(act: ReactionAct): Promise<boolean> {
    const { reaction, runHandler, clock, variables = {} } = this.#options;
    const handler = reaction.handlers[act.happening];
    if (handler === undefined) return true;
    const backoff = new Backoff(RETRY_MS);
    const call = reactionCall(reaction, act);
    for (;;) {
      const given = { ...call, variables: { ...variables, ...call.variables } };
      const { ok, ending, output, durationMs } = await runHandler(handler, given, this.#running.signal);
      const fields = { happening: act.happening, handler: showHandler(handler), ending, ms: Math.round(durationMs) };
      const told = output === '' ? fields : { ...fields, output };
      if (ok) this.#tell('info', 'a handler has run', told);
      if (ok) return true;
      if (this.#stop.signal.aborted) return false;
      const waitMs = backoff.next();
      const isLast = backoff.failures >= TRIES;
      this.#tell('warn', isLast ? `a handler failed ${TRIES} times and is given up` : 'a handler failed', told);
      if (isLast) return true;
      await clock.sleep(waitMs, this.#stop.signal).catch(() => undefined);
      if (this.#stop.signal.aborted) return false;
    }
  }

  async #save(record: ReactionRecord): Promise<void> {
    await this.#options.saved.save(record).catch((error: unknown) => {
      this.#tell('warn', `where it stands is not on the disk: ${messageOf(error)}`);
    });
  }

  #tellTrouble(error: unknown): void {
    if (error === null) this.#tell('info', 'the reaction goes on');
    else this.#tell('warn', `the reaction waits: ${messageOf(error)}`);
  }

  #tell(level: keyof EventTold, text: string, fields: object = {}): void {
    this.#options.log[level]({ reaction: this.#options.reaction.name, ...fields }, text);
  }
}
