import path from 'node:path';
import { availableParallelism } from 'node:os';
import type { Consumer, SendReceipt } from '../change/index.ts';
import { messageOf } from '../lib/index.ts';
import type { Clock, Timer, Timing } from '../lib/index.ts';
import type { BalancerView, NodeView } from '../registry/index.ts';
import { ViewApplier } from './applier.ts';
import type { Applied } from './applier.ts';
import { haproxyUnusable } from './errors.ts';
import { findHaproxy, workerIdentity } from './haproxy-binary.ts';
import { openHaproxyFiles } from './haproxy-files.ts';
import { HaproxyProcess } from './haproxy-process.ts';
import { DepartureWatch } from './departure-watch.ts';
import { PortGuard } from './port-guard.ts';
import { ReceiptDesk } from './receipts.ts';
import type { Result } from './receipts.ts';
import { RestartPace } from './restart-pace.ts';
import { CALL_TIMEOUT_MS } from './runtime.ts';
import { judgeSetback } from './setback.ts';
import type { RuntimeServer } from './servers-state.ts';
import { parseStatistics, sessionsByServer } from './statistics.ts';
import { TrafficObserver } from './traffic-observer.ts';
import { describeFrontends } from './status.ts';
import type { BalancerStatus } from './status.ts';

/** What the balancer says of itself to the agent's log. */
export interface BalancerLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

export interface LocalBalancerOptions {
  readonly node: string;
  /** The node's own; the balancer keeps its files in `balancer/` below it. */
  readonly stateDirectory: string;
  /** Path of HAProxy; default: looked up. */
  readonly haproxy?: string;
  readonly clock: Clock;
  readonly timing: Timing;
  readonly receipt: SendReceipt;
  readonly log: BalancerLog;
  /** Whether HAProxy outlives the balancer: an agent keeps it, a session at a terminal stops it. */
  readonly onStop: 'keep' | 'stop';
}

interface Wanted {
  readonly revision: number;
  readonly view: BalancerView | null;
  readonly fingerprint: string;
}

const NO_VIEW = 'no view of the region has come yet';
const PORT_RETRY_MS = 2_000;
/** A pass that takes longer than a call that times out is late; it goes on. */
const LATE_MS = CALL_TIMEOUT_MS + 300;
const WATCH_EVERY_MS = 500;
/** Every so many looks the runtime is compared with what is wanted, whatever happened in between. */
const COMPARE_EVERY = 10;
const OBSERVE_EVERY = 2;
const HARD_STOP_MS = 15 * 60_000;
const MOST_THREADS = 2;
const STOP_GRACE_MS = 1_000;

/** The node's balancer (P6, semantics 3): one HAProxy, one listener for each service that the node's services require. */
export class LocalBalancer implements Consumer {
  readonly kind = 'balancer';
  readonly #options: LocalBalancerOptions;
  readonly #haproxy: HaproxyProcess;
  readonly #guard: PortGuard;
  readonly #applier: ViewApplier;
  readonly #desk: ReceiptDesk;
  readonly #pace: RestartPace;
  readonly #observer: TrafficObserver;
  readonly #departures: DepartureWatch;
  readonly #stopped = new AbortController();
  readonly #timers = new Map<'retry' | 'watch', Timer>();
  #wanted: Wanted | null = null;
  #settledFingerprint: string | null = null;
  #pass: Promise<void> | null = null;
  #next: Promise<void> | null = null;
  #applied: Applied | null = null;
  #error: string | null = null;
  #silent: string | null = null;
  #unlinked: string | null = null;
  #looks = 0;

  private constructor(options: LocalBalancerOptions, haproxy: HaproxyProcess, adminSocket: string) {
    this.#options = options;
    this.#haproxy = haproxy;
    this.#guard = new PortGuard({ owner: `node ${options.node}` });
    this.#desk = new ReceiptDesk(options.receipt, () => options.clock.wall());
    this.#pace = new RestartPace(options.clock);
    this.#observer = new TrafficObserver({ runtime: haproxy.runtime, clock: options.clock });
    this.#departures = new DepartureWatch({ haproxy, clock: options.clock, capMs: options.timing.drainCapMs });
    this.#applier = new ViewApplier({
      haproxy,
      guard: this.#guard,
      render: {
        node: options.node,
        adminSocket,
        hardStopMs: HARD_STOP_MS,
        threads: Math.min(MOST_THREADS, availableParallelism()),
        runAs: workerIdentity(),
      },
      pace: this.#pace,
      resting: () => this.#observer.resting(),
      portRetryMs: PORT_RETRY_MS,
      signal: this.#stopped.signal,
    });
  }

  /**
   * Adopts the HAProxy that an earlier agent left running; one that died meanwhile is started again with its last
   * members. Nothing else changes until the first view.
   */
  static async start(options: LocalBalancerOptions): Promise<LocalBalancer> {
    const files = await openHaproxyFiles(path.join(options.stateDirectory, 'balancer'));
    const binary = (): string | null => requireGiven(findHaproxy(options.haproxy), options.haproxy);
    const haproxy = await HaproxyProcess.open({ files, binary, clock: options.clock });
    const balancer = new LocalBalancer(options, haproxy, files.adminSocket);
    if (haproxy.pid !== null) options.log.info({ pid: haproxy.pid }, 'balancer: adopted haproxy');
    else void balancer.#settle();
    balancer.#watch();
    return balancer;
  }

  async offer(view: NodeView): Promise<void> {
    const { revision, balancer, fingerprints } = view;
    this.#wanted = { revision, view: balancer, fingerprint: fingerprints.balancer };
    if (this.#isAsWanted()) {
      this.#desk.send(revision, { outcome: 'unchanged' });
      return;
    }
    const late = new AbortController();
    const given = this.#options.clock.sleep(LATE_MS, late.signal).catch(() => undefined);
    await Promise.race([this.#settle(), given]);
    late.abort();
  }

  /** Says why the registry's view is missing (the link is cut); null: it is there again. The last members stay. */
  markStale(reason: string | null): void {
    this.#unlinked = reason;
  }

  /** How it does, asked of HAProxy itself; when that does not answer, what was last known, marked stale. */
  async status(): Promise<BalancerStatus> {
    const wanted = this.#wanted;
    const { pid } = this.#haproxy;
    const seen = pid === null ? { servers: [], text: '', oldWorkers: 0 } : await this.#look();
    const errors = [...(this.#error === null ? [] : [this.#error]), ...(this.#applied?.complaints ?? [])];
    return {
      pid,
      revision: wanted?.revision ?? null,
      stale: this.#silent ?? this.#unlinked ?? (wanted === null ? NO_VIEW : null),
      frontends: wanted?.view
        ? describeFrontends(
            wanted.view,
            seen.servers,
            sessionsByServer(parseStatistics(seen.text)),
            this.#applied?.refused ?? new Map(),
          )
        : [],
      skipped: wanted?.view?.skipped ?? [],
      oldWorkers: seen.oldWorkers,
      errors,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort(new Error('the balancer stops'));
    for (const timer of this.#timers.values()) timer.cancel();
    await (this.#next ?? this.#pass);
    for (const timer of this.#timers.values()) timer.cancel();
    this.#departures[Symbol.dispose]();
    if (this.#options.onStop === 'stop') await this.#haproxy.stop(STOP_GRACE_MS);
    await this.#guard[Symbol.asyncDispose]();
  }

  async #resume(): Promise<void> {
    try {
      await this.#applier.resume();
    } catch (error) {
      // The first view says what is wanted, and gets the receipt.
      this.#error = messageOf(error);
    }
  }

  #isAsWanted(): boolean {
    const isRunning = this.#haproxy.pid !== null || this.#applied?.text == null;
    return this.#desk.isSettled && isRunning && this.#wanted?.fingerprint === this.#settledFingerprint;
  }

  /** Resolves when a pass that began after this call is over: at most one runs and one waits. */
  #settle(): Promise<void> {
    if (this.#pass === null) {
      this.#pass = this.#runPass().finally(() => (this.#pass = null));
      return this.#pass;
    }
    this.#next ??= this.#pass.then(() => {
      this.#next = null;
      return this.#settle();
    });
    return this.#next;
  }

  async #runPass(): Promise<void> {
    const wanted = this.#wanted;
    if (this.#stopped.signal.aborted) return;
    if (wanted === null) return this.#resume();
    this.#cancel('retry');
    // From here on the runtime may be half-way to this view: only a finished pass knows what it shows.
    this.#settledFingerprint = null;
    try {
      const applied = await this.#reach(wanted.view);
      this.#finish(wanted, applied);
      if (applied.text !== null) await this.#save(applied.text);
    } catch (error) {
      if (!this.#stopped.signal.aborted) await this.#fail(wanted, error);
    }
  }

  async #reach(view: BalancerView | null): Promise<Applied> {
    if (view !== null) return this.#applier.apply(view);
    const { pid } = this.#haproxy;
    if (pid !== null) await this.#haproxy.stop(STOP_GRACE_MS);
    this.#pace.reset();
    await this.#guard.keepOnly(new Set());
    const outcome = pid === null ? 'unchanged' : 'applied';
    return { result: { outcome }, servers: [], refused: new Map(), complaints: [], text: null };
  }

  #finish(wanted: Wanted, applied: Applied): void {
    if (this.#silent !== null) this.#options.log.info({ revision: wanted.revision }, 'balancer: haproxy answers again');
    this.#silent = null;
    this.#error = null;
    this.#applied = applied;
    this.#settledFingerprint = wanted.fingerprint;
    this.#say(wanted.revision, applied.result);
    if (applied.result.retryInMs !== undefined) this.#retryIn(applied.result.retryInMs);
    this.#departures.follow(applied.servers);
  }

  /** Silence is no word: the receipt comes when HAProxy answers again. Everything else is told, and tried again. */
  async #fail(wanted: Wanted, error: unknown): Promise<void> {
    const isRunning = this.#haproxy.pid !== null;
    const { outcome, reason, retryInMs } = judgeSetback(error, { isRunning, waitMs: this.#pace.waitMs });
    this.#error = reason;
    this.#retryIn(retryInMs);
    if (outcome === 'late') {
      if (this.#silent === null) this.#options.log.warn({ revision: wanted.revision }, `balancer: ${reason}`);
      this.#silent = reason;
      return;
    }
    this.#say(wanted.revision, { outcome, reason, retryInMs });
    if (outcome === 'refused' && wanted.view !== null && isRunning) await this.#keepMembers(wanted.view);
  }

  /** What still runs keeps its structure and follows the view's members as far as it can. */
  async #keepMembers(view: BalancerView): Promise<void> {
    try {
      this.#departures.follow(await this.#applier.applyMembers(view));
    } catch (error) {
      this.#error = `${this.#error}; its members are behind: ${messageOf(error)}`;
    }
  }

  #say(revision: number, result: Result): void {
    const { outcome, reason } = result;
    const before = this.#desk.last?.result;
    if (reason !== undefined && reason !== before?.reason)
      this.#options.log.warn({ revision, outcome }, `balancer: ${reason}`);
    this.#desk.send(revision, result);
  }

  /** The file is for the next reload or restart: it is written after the members are in place. */
  async #save(text: string): Promise<void> {
    try {
      if ((await this.#haproxy.savedText()) !== text) await this.#haproxy.save(text);
    } catch (error) {
      this.#error = `the configuration file is behind: ${messageOf(error)}`;
      this.#options.log.warn({}, `balancer: ${this.#error}`);
    }
  }

  #retryIn(delayMs: number): void {
    this.#after('retry', delayMs, () => this.#settle());
  }

  /** Sees a HAProxy that died, members that only fail, and now and then whether the runtime still is what is wanted. */
  #watch(): void {
    this.#after('watch', WATCH_EVERY_MS, async () => {
      this.#looks++;
      this.#watch();
      const isDead = this.#haproxy.pid === null && (this.#wanted === null || this.#applied?.text != null);
      const isDue = this.#looks % COMPARE_EVERY === 0 && this.#haproxy.pid !== null;
      if (isDue) this.#haproxy.trimLog();
      const hasRested = this.#looks % OBSERVE_EVERY === 0 && (await this.#observe());
      if ((isDead && this.#pace.waitMs === 0) || isDue || hasRested) await this.#settle();
    });
  }

  /** True when other members rest than before. */
  async #observe(): Promise<boolean> {
    if (this.#haproxy.pid === null || this.#silent !== null) return false;
    const resting = await this.#observer.look(this.#wanted?.view ?? null);
    if (resting !== null) this.#options.log.info({ resting: [...resting] }, 'balancer: members that only fail rest');
    return resting !== null;
  }

  async #look(): Promise<{ servers: readonly RuntimeServer[]; text: string; oldWorkers: number }> {
    try {
      const [servers, text, processes] = await Promise.all([
        this.#haproxy.runtime.servers(),
        this.#applier.statistics(),
        this.#haproxy.processes(),
      ]);
      return { servers, text, oldWorkers: processes.oldWorkers.length };
    } catch (error) {
      this.#silent ??= messageOf(error);
      return { servers: this.#applied?.servers ?? [], text: '', oldWorkers: 0 };
    }
  }

  #after(name: 'retry' | 'watch', delayMs: number, task: () => Promise<void>): void {
    this.#cancel(name);
    if (this.#stopped.signal.aborted) return;
    this.#timers.set(
      name,
      this.#options.clock.after(delayMs, () => {
        task().catch((error: unknown) => this.#options.log.warn({}, `balancer: ${messageOf(error)}`));
      }),
    );
  }

  #cancel(name: 'retry' | 'watch'): void {
    this.#timers.get(name)?.cancel();
    this.#timers.delete(name);
  }
}

/** A HAProxy that was named and is not there is told as such, not as one to be installed. */
function requireGiven(found: string | null, given: string | undefined): string | null {
  if (found === null && given !== undefined) throw haproxyUnusable(given);
  return found;
}
