import { randomUUID } from 'node:crypto';
import type { Consumer, SendReceipt } from '../change/index.ts';
import { messageOf, shimLocked } from '../lib/index.ts';
import type { Clock, DroverError, Owner, ShimExit, ShimRun, Timer } from '../lib/index.ts';
import type { NodeView } from '../registry/index.ts';
import { decide } from './decide.ts';
import type { Decision, ListenerTiming } from './decide.ts';
import { listenerNotConfigured, listenerNotSaved } from './errors.ts';
import { foreignHolder } from './foreign-lock.ts';
import type { ForeignLock } from './foreign-lock.ts';
import type { ListenerKind } from './kinds.ts';
import { removeInputs, removeRun, runOf, startProvision, sweepRuns } from './provision.ts';
import type { ProvisionSettings } from './provision.ts';
import { receiptFor, receiptOfEnd, saysNothingNew } from './receipts.ts';
import type { ListenerReceipt } from './receipts.ts';
import { recoverRun } from './recover.ts';
import { momentOf, SavedState } from './saved-state.ts';
import { locksOf, settingsOf } from './settings.ts';
import type { Place, PlaceWait } from './slots/index.ts';
import type { ListenerState, ProvisionRun, Running } from './state.ts';
import { statusOf } from './status.ts';
import type { ListenerStatus } from './status.ts';
import { ended, forcedBy, noticed, started, turned, withdrawn } from './transitions.ts';

export interface ListenerOptions {
  readonly node: string;
  /** The node's own; created 0700 when absent. Also where the lock is: `provision.lock`. */
  readonly stateDirectory: string;
  /** Where each run's view and output are; default `<stateDirectory>/provisions`. `owner` must be able to get there. */
  readonly runsDirectory?: string;
  /** A shell line, or a program and its arguments; null takes the kind's own, if it has one. */
  readonly command: string | readonly string[] | null;
  readonly kind: ListenerKind;
  /** A run is ended at this age; null: never. */
  readonly timeLimitMs: number | null;
  /** From SIGTERM to SIGKILL at the limit; default 10,000 ms. */
  readonly killAfterMs?: number;
  /** What the command's environment holds beside the DROVER_ variables. */
  readonly env: Readonly<Record<string, string>>;
  /** Default `/`. */
  readonly cwd?: string;
  /** The user that the command runs as; default the agent's. */
  readonly owner?: Owner;
  readonly timing: ListenerTiming;
  readonly clock: Clock;
  readonly receipt: SendReceipt;
  /** Its place among those of its group that may provision at once (P14); without one there is no such limit. */
  readonly place?: Place;
  /** Locks of other tools (P15); default those of the kind. */
  readonly locks?: readonly ForeignLock[];
  readonly log?: (message: string) => void;
}

/** How often a lock that somebody else holds is looked at. */
const LOCK_POLL_MS = 500;
/** How soon it is tried again to write the state. */
const OBSTRUCTED_POLL_MS = 2_000;

/** Runs a node's provision command when what the node requires changed: the consumer `listener` (semantics 5). */
export class Listener implements Consumer {
  readonly kind = 'listener' as const;
  readonly #options: ListenerOptions;
  readonly #settings: ProvisionSettings;
  readonly #saved: SavedState;
  #view: NodeView | null = null;
  #noticed: NodeView | null = null;
  readonly #owed: (() => Promise<void>)[] = [];
  #decision: Decision = { type: 'nothing' };
  #timer: Timer | null = null;
  #busy: Promise<void> = Promise.resolve();
  #lastReceipt: ListenerReceipt | null = null;
  #failedUpTo = -1;
  #closed = false;

  private constructor(options: ListenerOptions, settings: ProvisionSettings, saved: SavedState) {
    this.#options = options;
    this.#settings = settings;
    this.#saved = saved;
  }

  /** Takes up what was there: a run that still lives is adopted, one that ended meanwhile is accounted for. */
  static async start(options: ListenerOptions): Promise<Listener> {
    const settings = settingsOf(options);
    const listener = new Listener(
      options,
      settings,
      await SavedState.open(options.stateDirectory, options.clock, options.log),
    );
    const state = listener.#saved.current;
    const { running } = state;
    await sweepRuns(settings, state).catch((error: unknown) =>
      options.log?.(`what earlier runs left cannot be removed: ${messageOf(error)}`),
    );
    if (running) {
      options.place?.adopt();
      void listener.#recover(running);
    }
    return listener;
  }

  offer(view: NodeView): Promise<void> {
    this.#view = view;
    return this.#proceedSoon();
  }

  /** Turns the listener on: one run at once, whatever changed or not; nothing when it is on already. */
  on(): Promise<ListenerStatus> {
    return this.#change((state) => turned(state, true));
  }

  /** Turns it off: nothing starts; what changes meanwhile is not lost, and a run under way goes on. */
  off(): Promise<ListenerStatus> {
    return this.#change((state) => turned(state, false));
  }

  /** Queues a run whatever the hash; `skipSettle` starts it as soon as no other runs. */
  provision(options: { readonly skipSettle: boolean; readonly cause?: string }): Promise<ListenerStatus> {
    const { skipSettle, cause = 'provision' } = options;
    return this.#change((state) => forcedBy(state, { cause, skipSettle }));
  }

  status(): ListenerStatus {
    const configured = this.#settings.command.length > 0;
    return statusOf(this.#saved.current, this.#decision, configured, (moment) => this.#wallOf(moment));
  }

  /** The latest runs that ended, newest first. */
  provisions(): readonly ProvisionRun[] {
    return this.#saved.current.history;
  }

  /** Stops listening. A run under way goes on, and the next start adopts it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    this.#options.place?.[Symbol.dispose]();
    await this.#busy;
  }

  /** Throws LISTENER_NOT_SAVED when the state cannot be written: then nothing changed. */
  async #change(next: (state: ListenerState) => ListenerState): Promise<ListenerStatus> {
    if (this.#settings.command.length === 0) throw listenerNotConfigured(this.#options.node);
    let failure: unknown;
    const change = (): Promise<void> =>
      this.#saved.become(next(this.#saved.current)).catch((error: unknown) => void (failure = error));
    await this.#proceedSoon(change);
    if (failure !== undefined) throw listenerNotSaved.with({ cause: failure }, messageOf(failure));
    return this.status();
  }

  /** Once what is under way is done, does `first` and whatever else is due. Never rejects: what failed is due again. */
  #proceedSoon(first?: () => Promise<void>): Promise<void> {
    this.#busy = this.#busy.then(async () => {
      if (this.#closed) return;
      try {
        await first?.();
        await this.#proceed();
      } catch (error) {
        this.#obstructed(error);
      }
    });
    return this.#busy;
  }

  async #proceed(): Promise<void> {
    this.#timer?.cancel();
    this.#timer = null;
    for (let owed = this.#owed[0]; owed; owed = this.#owed[0]) {
      await owed();
      this.#owed.shift();
    }
    if (this.#settings.command.length === 0) return this.#declineView();
    await this.#notice();
    this.#decision = this.#decide(null);
    if (this.#decision.type === 'start') await this.#startUnlessForeign();
    this.#leavePlace();
    this.#wakeWhenDue();
    this.#announce();
  }

  #declineView(): void {
    if (this.#view) this.#send({ revision: this.#view.revision, outcome: 'unchanged' });
  }

  async #notice(): Promise<void> {
    const view = this.#view;
    if (view === null || view === this.#noticed) return;
    await this.#saved.note(noticed(this.#saved.current, view, this.#options.clock.now()));
    this.#noticed = view;
  }

  #wakeWhenDue(): void {
    const decision = this.#decision;
    if ('until' in decision) this.#wakeIn(decision.until - this.#options.clock.now());
    else if (decision.type === 'held' && decision.why === 'locked') this.#wakeIn(LOCK_POLL_MS);
    else if (decision.type === 'held' && decision.why === 'place') this.#wakeIn(decision.againMs);
  }

  /** The state cannot be written (a full disk, no rights): nothing is acted upon until it can. */
  #obstructed(error: unknown): void {
    const { clock, log } = this.#options;
    const reason = messageOf(error);
    const retryAt = new Date(clock.wall() + OBSTRUCTED_POLL_MS).toISOString();
    log?.(`the listener cannot go on for now: ${reason}`);
    if (this.#view) this.#send({ revision: this.#view.revision, outcome: 'failed', reason, retryAt });
    this.#wakeIn(OBSTRUCTED_POLL_MS);
  }

  /** Without a view there is nothing to hand to the command: then it waits for one. */
  #decide(foreign: string | null, waiting: PlaceWait | null = null): Decision {
    if (this.#noticed === null) return { type: 'nothing' };
    const { clock, timing } = this.#options;
    return decide({ state: this.#saved.current, now: clock.now(), timing, foreign, waiting });
  }

  async #startUnlessForeign(): Promise<void> {
    const { place } = this.#options;
    this.#decision = this.#decide(await foreignHolder(locksOf(this.#options)));
    if (this.#decision.type === 'start' && place !== undefined) {
      const waiting = await place.take();
      // What came while it was asked is seen by the run, and may have made it needless.
      await this.#notice();
      this.#decision = this.#decide(null, waiting);
    }
    if (this.#decision.type === 'start' && this.#noticed) await this.#start(this.#noticed);
  }

  /** Whoever neither runs nor is about to stands in nobody's way. */
  #leavePlace(): void {
    const { type } = this.#decision;
    const isNear = type === 'wait' || (type === 'held' && this.#decision.why === 'place');
    if (this.#saved.current.running === null && !isNear) this.#options.place?.release();
  }

  async #start(view: NodeView): Promise<void> {
    const { clock } = this.#options;
    const id = `${view.revision}-${randomUUID().slice(0, 8)}`;
    const before = this.#saved.current;
    const next = started(before, view, { id, wallMs: clock.wall() }, clock.now());
    await this.#saved.become(next);
    this.#decision = { type: 'nothing' };
    const running = next.running as Running;
    try {
      this.#follow(running, await startProvision(this.#settings, running, view));
      this.#options.log?.(`provision ${id} started: ${running.causes.join(', ')}`);
    } catch (error) {
      await this.#notStarted(before, running, error);
    }
  }

  async #notStarted(before: ListenerState, running: Running, error: unknown): Promise<void> {
    await removeRun(this.#settings.runsDirectory, running.id);
    if ((error as DroverError).code === shimLocked.code) {
      await this.#saved.become(before);
      this.#decision = this.#decide(messageOf(error));
      return;
    }
    const at = this.#options.clock.wall();
    const exit = { code: null, signal: null, startedAt: at, endedAt: at, timedOut: false, lost: false };
    await this.#account({ ...runOf(this.#settings, running, exit), result: messageOf(error) });
  }

  #follow(running: Running, run: ShimRun): void {
    void run.exited.then((exit) => this.#owe(() => this.#finish(running, exit)));
  }

  async #finish(running: Running, exit: ShimExit): Promise<void> {
    await this.#account(runOf(this.#settings, running, exit), exit.lost ? exit.startedAt : undefined);
    await removeInputs(this.#settings.runsDirectory, running.id);
  }

  /** Writes down how a run ended. One that was lost has been away for a while: its back-off counts from its start. */
  async #account(run: ProvisionRun, failedAtWall?: number): Promise<void> {
    const { clock, log } = this.#options;
    const { running, history } = this.#saved.current;
    const covers = running?.covers ?? run.revision;
    const failedAt = failedAtWall === undefined ? clock.now() : momentOf(failedAtWall, clock);
    const next = ended(this.#saved.current, run, failedAt);
    await this.#saved.become(next);
    log?.(`provision ${run.id} ended: ${run.result}`);
    this.#decision = this.#decide(null);
    const retryAt = 'until' in this.#decision ? this.#wallOf(this.#decision.until) : null;
    if (!run.succeeded) this.#failedUpTo = covers;
    this.#options.place?.release();
    this.#send(receiptOfEnd(run, covers, retryAt));
    const kept = new Set(next.history.map(({ id }) => id));
    for (const { id } of history) if (!kept.has(id)) await removeRun(this.#settings.runsDirectory, id);
  }

  async #recover(running: Running): Promise<void> {
    const found = await recoverRun(this.#options.stateDirectory, running.id, this.#options.clock);
    if (found) return this.#follow(running, found);
    this.#owe(async () => {
      await this.#saved.become(withdrawn(this.#saved.current));
      await removeRun(this.#settings.runsDirectory, running.id);
    });
  }

  /** Done before anything else, and again until it succeeded. */
  #owe(task: () => Promise<void>): void {
    this.#owed.push(task);
    void this.#proceedSoon();
  }

  #announce(): void {
    if (this.#noticed === null) return;
    const { clock, timing } = this.#options;
    const receipt = receiptFor({
      state: this.#saved.current,
      decision: this.#decision,
      revision: this.#noticed.revision,
      failedUpTo: this.#failedUpTo,
      wallOf: (moment) => this.#wallOf(moment),
      now: clock.now(),
      notableMs: timing.listenerMostMs,
    });
    if (receipt) this.#send(receipt);
  }

  #send(receipt: ListenerReceipt): void {
    if (this.#lastReceipt && saysNothingNew(this.#lastReceipt, receipt)) return;
    this.#lastReceipt = receipt;
    this.#options.receipt(receipt);
  }

  #wakeIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(Math.max(0, delayMs), () => void this.#proceedSoon());
  }

  #wallOf(moment: number): number {
    const { clock } = this.#options;
    return clock.wall() + (moment - clock.now());
  }
}
