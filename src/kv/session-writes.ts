import { randomUUID } from 'node:crypto';
import { KeyedQueue, systemClock } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import { aliveKey, checkKey, contended, nodeKey } from '../registry/index.ts';
import type { AppliedChange, Feed } from '../registry/index.ts';
import {
  ALWAYS_ON_DUTY,
  fenceOf,
  type Compare,
  type Duty,
  type Entry,
  type Fence,
  type Revision,
  type Write,
} from '../store/index.ts';
import type { DraftHistory } from './draft-txn.ts';
import { planEnd } from './end-session.ts';
import { sessionOfCritical, sessionWithoutCheck, sessionWithoutNode, unknownSession } from './errors.ts';
import type { Kv } from './kv.ts';
import { whyInvalid } from './session-health.ts';
import type { Invalid, SessionCatalog } from './session-health.ts';
import { sessionRecordOf } from './session-input.ts';
import type { SessionInput } from './session-input.ts';
import { lockDelayKey, sessionKey } from './session-keys.ts';
import { checksOfSession } from './session-record.ts';
import type { Session, SessionRecord } from './session-record.ts';
import { SessionTtls } from './session-ttls.ts';
import type { Renewal } from './session-ttls.ts';
import type { Sessions } from './sessions.ts';

const ATTEMPTS = 64;
/** After an end that failed, say because the store was away. */
const RETRY_MS = 1_000;
/** Entries of lock-delays that are over are taken away together. */
const REAP_MS = 1_000;
const REAPED_PER_TXN = 100;
/** Consul's least TTL. */
export const SESSION_TTL_MIN_MS = 10_000;

export interface SessionWritesOptions {
  readonly feed: Feed;
  readonly kv: Kv;
  readonly sessions: Sessions;
  readonly catalog: SessionCatalog;
  readonly clock?: Clock;
  /** `session_ttl_min`; 10 s unless told. */
  readonly ttlMinMs?: number;
  /** Whether keys that are deleted with a session leave records of history; they do unless told. */
  readonly history?: boolean;
  /** Writes of others that go with a session's end: of what is bound to it, as far as it is still there. */
  readonly withSession?: (sessionId: string) => readonly Write[];
  readonly newId?: () => string;
  /** Whose part it is to end sessions that nobody destroyed, and lock-delays; this server's always, unless told. */
  readonly duty?: Duty;
  /** Whether this server hears what is renewed through every other one; always, unless told. */
  readonly hearsAll?: () => boolean;
  /** Whether the others know that this server runs, and wait for what it has to tell; always, unless told. */
  readonly isKnown?: () => boolean;
  /** A session was renewed through this server. */
  readonly onRenewed?: (id: string) => void;
  /** Told of ends that failed; they are tried again. */
  readonly report?: (error: unknown) => void;
}

/**
 * Creates, renews and ends sessions: those that are destroyed, lapse, lose their node, or have a check that is gone or
 * critical, also when that happened while no server ran. Of several servers one ends what nobody destroyed, with the fence of
 * its duty. A session is renewed through any of them: in memory while its TTL has not passed, which is told to the one that ends
 * sessions before that could; by writing its record again when it has passed, so that either the renewal or the end comes first.
 */
export class SessionWrites implements AsyncDisposable {
  /** The least TTL in ms. */
  readonly ttlMinMs: number;
  readonly #options: SessionWritesOptions;
  readonly #feed: Feed;
  readonly #sessions: Sessions;
  readonly #clock: Clock;
  readonly #ttls: SessionTtls;
  readonly #queue = new KeyedQueue();
  readonly #timers = new Set<Timer>();
  readonly #running = new Set<Promise<unknown>>();
  readonly #stops: readonly (() => void)[];
  readonly #fence: Fence;
  #isHeld = false;
  #reaper: Timer | undefined;
  #isClosed = false;

  private constructor(options: SessionWritesOptions) {
    this.#options = options;
    this.#feed = options.feed;
    this.#sessions = options.sessions;
    this.#clock = options.clock ?? systemClock;
    this.ttlMinMs = options.ttlMinMs ?? SESSION_TTL_MIN_MS;
    const { duty = ALWAYS_ON_DUTY, hearsAll = () => true } = options;
    this.#fence = fenceOf(duty, () => this.#feed.revision);
    this.#ttls = new SessionTtls({
      clock: this.#clock,
      onLapse: (id) => this.#endLapsed(id),
      mayJudge: () => this.#isHeld && hearsAll(),
    });
    this.#stops = [
      this.#feed.onApplied((change) => this.#onApplied(change)),
      duty.onChange((isHeld) => this.#onDuty(isHeld)),
    ];
  }

  /** Looks at every session there is, and from then on at those that a change concerns. */
  static start(options: SessionWritesOptions): Promise<SessionWrites> {
    const writes = new SessionWrites(options);
    writes.#lookAtAll();
    return Promise.resolve(writes);
  }

  /**
   * Creates a session; resolves with its id.
   *
   * @throws KV_SESSION_WITHOUT_NODE, KV_SESSION_WITHOUT_CHECK, KV_SESSION_OF_CRITICAL, and what `sessionRecordOf` throws
   */
  async create(input: SessionInput): Promise<{ readonly id: string; readonly revision: Revision }> {
    const id = (this.#options.newId ?? randomUUID)();
    const record = sessionRecordOf(id, input, this.ttlMinMs);
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const invalid = whyInvalid(record, this.#options.catalog);
      if (invalid !== undefined) throw refusalOf(invalid, record);
      const put: Write = { type: 'put', key: sessionKey(id), value: JSON.stringify(record) };
      const outcome = await this.#feed.commit({ compares: this.#basisOf(record), writes: [put] });
      if (outcome.ok) return { id, revision: outcome.revision };
      await this.#feed.applied(outcome.revision);
    }
    throw contended(`node "${input.node}"`, ATTEMPTS);
  }

  /** Ends a session and gives what it holds free; one that is not there has ended already. */
  async destroy(id: string): Promise<Revision> {
    await this.#end(id, () => []);
    return this.#feed.revision;
  }

  /** Restarts a session's TTL. @throws KV_UNKNOWN_SESSION, and what the store throws when the TTL has passed already */
  async renew(id: string): Promise<Session> {
    const session = this.#sessions.get(id);
    if (session === undefined) throw unknownSession(id);
    if (!this.#mayRenew(id)) return this.#renewInStore(id);
    this.#ttls.restart(id);
    this.#options.onRenewed?.(id);
    return session;
  }

  /** Sessions that were renewed through other servers. */
  hear(renewals: Iterable<Renewal>): void {
    for (const [id, agoMs] of renewals) this.#ttls.restart(id, agoMs);
  }

  /** Sessions that were renewed of late, through this server or another. */
  renewals(): Iterable<Renewal> {
    return this.#ttls.renewals();
  }

  /** Another server runs no more, and what was renewed through it last was maybe not told: every session has its full time again. */
  lostServer(): void {
    this.#ttls.restartAll();
  }

  /** Ends that are under way are finished. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const stop of this.#stops) stop();
    this.#ttls[Symbol.dispose]();
    this.#reaper?.cancel();
    for (const timer of this.#timers) timer.cancel();
    await Promise.allSettled(this.#running);
  }

  /** A session that relies on what is just changing is not created: it would have ended at once. */
  #basisOf(record: SessionRecord): Compare[] {
    const state = this.#options.catalog.nodeState(record.node);
    const basis: Compare[] = [
      { key: sessionKey(record.id), modRevision: 0 },
      { key: nodeKey(record.node), modRevision: state?.stored?.modRevision ?? 0 },
      { key: aliveKey(record.node), modRevision: state?.storedAlive?.modRevision ?? 0 },
    ];
    for (const check of new Set(checksOfSession(record)))
      basis.push({ key: checkKey(record.node, check), modRevision: state?.check(check)?.modRevision ?? 0 });
    return basis;
  }

  /** Whether it is certain without the store that nobody ends the session before the others hear of its renewal. */
  #mayRenew(id: string): boolean {
    if (this.#isHeld && this.#fence() !== null) return !this.#ttls.hasLapsed(id);
    return this.#ttls.isFresh(id) && (this.#options.isKnown ?? (() => true))();
  }

  /** Writes its record as it is: who is about to end it compares the revision of that. */
  #renewInStore(id: string): Promise<Session> {
    return this.#queue.run(id, async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const session = this.#sessions.get(id);
        if (session === undefined) throw unknownSession(id);
        const { createRevision: _created, modRevision, ...record } = session;
        const key = sessionKey(id);
        const put: Write = { type: 'put', key, value: JSON.stringify(record) };
        const outcome = await this.#feed.commit({ compares: [{ key, modRevision }], writes: [put] });
        if (outcome.ok) return this.#sessions.get(id) ?? session;
        await this.#feed.applied(outcome.revision);
      }
      throw contended(`session "${id}"`, ATTEMPTS);
    });
  }

  /** Whoever takes over may not have heard all renewals: every session has its full time again. */
  #onDuty(isHeld: boolean): void {
    if (isHeld !== this.#isHeld) this.#ttls.restartAll();
    this.#isHeld = isHeld;
    if (isHeld) this.#lookAtAll();
  }

  #lookAtAll(): void {
    for (const { id } of this.#sessions.allStored()) this.#look(id);
    this.#scheduleReaping();
  }

  #onApplied({ topics }: AppliedChange): void {
    for (const topic of topics) {
      if (topic.startsWith('sess/')) this.#lookAtWritten(topic.slice('sess/'.length));
      else if (topic.startsWith('node/')) this.#lookAtNode(decodeURIComponent(topic.slice('node/'.length)));
    }
    this.#scheduleReaping();
  }

  /** Its record was written, which gives it its full time, or deleted. */
  #lookAtWritten(id: string): void {
    this.#look(id);
    this.#ttls.revive(id);
  }

  #lookAtNode(node: string): void {
    for (const { id } of this.#sessions.ofNode(node)) this.#look(id);
  }

  /** Ends a session that should not be, and watches the TTL of one that should. */
  #look(id: string): void {
    const session = this.#sessions.stored(id);
    if (session === undefined) return this.#ttls.forget(id);
    this.#ttls.follow(id, session.ttl);
    const isOver = session.isEnding === true || whyInvalid(session, this.#options.catalog) !== undefined;
    if (isOver) this.#endSoon(id);
  }

  #endLapsed(id: string): void {
    this.#endSoon(id, () => this.#ttls.hasLapsed(id));
  }

  /** `isDue` is asked before each try: a session that has lapsed may be renewed while the store takes no writes. */
  #endSoon(id: string, isDue = (): boolean => true): void {
    if (this.#isClosed || !this.#isHeld) return;
    const again = (): void => this.#later(RETRY_MS, () => this.#endSoon(id, isDue));
    this.#run(
      this.#end(id, this.#fenced, isDue)
        .then((isOver) => (isOver ? undefined : again()))
        .catch((error: unknown) => {
          this.#options.report?.(error);
          again();
        }),
    );
  }

  /** What each transaction of the duty has among its compares; null while this server may not act. */
  readonly #fenced = (): readonly Compare[] | null => {
    const fence = this.#fence();
    return fence === null ? null : [fence];
  };

  /** Resolves with whether it has ended: not where this server may not end it, or not any more. */
  #end(id: string, fenced: () => readonly Compare[] | null, isDue = (): boolean => true): Promise<boolean> {
    return this.#queue.run(id, async () => {
      // Each step leaves it fewer locks; a conflict is with somebody who got on.
      for (let session = this.#sessions.stored(id); session !== undefined; session = this.#sessions.stored(id)) {
        const fence = fenced();
        if (fence === null) return false;
        if (session.isEnding !== true && !isDue()) return true;
        const txn = planEnd(this.#base(), session, this.#othersOf(id), this.#historyOf(id));
        const outcome = await this.#feed.commit({ ...txn, compares: [...fence, ...txn.compares] });
        if (!outcome.ok && isDeposed(outcome.entries, fence)) return false;
        await this.#feed.applied(outcome.revision);
      }
      // What was bound to it on another server while it ended.
      const left = this.#othersOf(id);
      for (let start = 0; start < left.length; start += REAPED_PER_TXN) {
        const compares = fenced();
        if (compares === null) return false;
        const outcome = await this.#feed.commit({ compares, writes: left.slice(start, start + REAPED_PER_TXN) });
        if (!outcome.ok) return false;
      }
      return true;
    });
  }

  #othersOf(id: string): readonly Write[] {
    return this.#options.withSession?.(id) ?? [];
  }

  #base(): { kv: Kv; sessions: Sessions; revision: Revision } {
    return { kv: this.#options.kv, sessions: this.#sessions, revision: this.#feed.revision };
  }

  #historyOf(id: string): DraftHistory | undefined {
    if (this.#options.history === false) return undefined;
    return { author: `session ${id}`, at: new Date(this.#clock.wall()).toISOString() };
  }

  #scheduleReaping(): void {
    if (this.#isClosed || !this.#isHeld || this.#reaper !== undefined) return;
    const nextMs = this.#sessions.delays.nextMs();
    if (nextMs === undefined) return;
    const delayMs = Math.max(REAP_MS, nextMs - this.#clock.now());
    this.#reaper = this.#clock.after(delayMs, () => {
      this.#run(
        this.#reap()
          .catch((error: unknown) => this.#options.report?.(error))
          .then(() => {
            this.#reaper = undefined;
            this.#scheduleReaping();
          }),
      );
    });
  }

  /** All that are over: what was left would add up where many sessions end. One that began again meanwhile stays. */
  async #reap(): Promise<void> {
    const elapsed = this.#sessions.delays.elapsed();
    for (let start = 0; start < elapsed.length && !this.#isClosed; start += REAPED_PER_TXN) {
      const fence = this.#fenced();
      if (fence === null) return;
      const compares = elapsed
        .slice(start, start + REAPED_PER_TXN)
        .map(({ key, modRevision }) => ({ key: lockDelayKey(key), modRevision }));
      const outcome = await this.#feed.commit({
        compares: [...fence, ...compares],
        writes: compares.map(({ key }) => ({ type: 'delete', key })),
      });
      await this.#feed.applied(outcome.revision);
    }
  }

  #later(delayMs: number, task: () => void): void {
    if (this.#isClosed) return;
    const timer = this.#clock.after(delayMs, () => {
      this.#timers.delete(timer);
      task();
    });
    this.#timers.add(timer);
  }

  #run(task: Promise<unknown>): void {
    this.#running.add(task);
    void task.finally(() => this.#running.delete(task));
  }
}

/** Whether a conflict is about the duty itself: somebody else has it. */
function isDeposed(entries: readonly Entry[], fence: readonly Compare[]): boolean {
  const found = new Map(entries.map(({ key, modRevision }) => [key, modRevision]));
  return fence.some(({ key, modRevision }) => (found.get(key) ?? 0) !== modRevision);
}

function refusalOf(invalid: Invalid, { node }: SessionRecord): Error {
  if (invalid.reason === 'no node') return sessionWithoutNode(node);
  return invalid.reason === 'no check' ? sessionWithoutCheck(invalid.check) : sessionOfCritical(invalid.check);
}
