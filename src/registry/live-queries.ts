import { systemClock } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import type { Revision } from '../store/index.ts';
import { AnswerCache } from './answer-cache.ts';
import { renderAnswer } from './answer.ts';
import type { Answer, LiveQuery } from './answer.ts';
import type { AppliedChange, Feed } from './feed.ts';
import { WaitingGroups } from './waiting-groups.ts';
import type { Waiter, WaitingGroup } from './waiting-groups.ts';

const DEFAULT_WAIT_MS = 300_000;
const MAX_WAIT_MS = 600_000;
/** Waiters woken and ms of own work in one turn of the event loop, so that DNS and others get theirs. */
const WAKES_PER_TURN = 200;
const WORK_PER_TURN_MS = 20;

export interface LiveQueriesOptions {
  readonly feed: Feed;
  /** The index of a topic, of whichever projection has it. */
  readonly index: (topic: string) => Revision;
  readonly clock?: Clock;
  /** From 0 up to 1: spreads the ends of waits. */
  readonly random?: () => number;
  /** For rendered answers; 64 MiB unless told. */
  readonly cacheBytes?: number;
}

export interface WaitOptions {
  /** The index of the answer the client has; 0 or nothing: it has none. */
  readonly index?: Revision;
  /** 5 min unless told, at most 10 min; up to a sixteenth is added. */
  readonly waitMs?: number;
  /** Aborted when the client is gone. */
  readonly signal?: AbortSignal;
}

/**
 * Consul's blocking queries. An answer is rendered once per query and index. Who waits is woken only when the answer they
 * would get differs from the one they have; otherwise they sleep on and get the newer index when their time is up.
 */
export class LiveQueries implements AsyncDisposable {
  readonly #feed: Feed;
  readonly #index: (topic: string) => Revision;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #cache: AnswerCache;
  readonly #groups = new WaitingGroups();
  readonly #stop: () => void;
  /** Groups whose topics changed, in the order in which they are looked at. */
  readonly #dirty = new Set<WaitingGroup>();
  /** Waiters that came with an index which this server has not reached; they have no digest yet. */
  readonly #ahead = new Map<Waiter, WaitingGroup>();
  #turn: NodeJS.Immediate | undefined;
  #closed = false;

  private constructor(options: LiveQueriesOptions) {
    this.#feed = options.feed;
    this.#index = options.index;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#cache = new AnswerCache(options.cacheBytes ?? 64 * 1024 * 1024);
    this.#stop = this.#feed.onApplied((change) => this.#onApplied(change));
  }

  static start(options: LiveQueriesOptions): Promise<LiveQueries> {
    return Promise.resolve(new LiveQueries(options));
  }

  /** How many wait. */
  get waiters(): number {
    return this.#groups.waiters;
  }

  /** The answer as it is now. */
  read(query: LiveQuery): Answer {
    const index = query.topics.reduce((highest, topic) => Math.max(highest, this.#index(topic)), 1);
    const cached = this.#cache.get(query.key, index);
    if (cached !== undefined) return cached;
    const answer = renderAnswer(query, index);
    this.#cache.set(query.key, answer);
    return answer;
  }

  /**
   * The answer once it is newer than `index`, or as it is when the time is up; at once without an index.
   *
   * @throws the signal's reason when it is aborted
   */
  wait(query: LiveQuery, options: WaitOptions = {}): Promise<Answer> {
    const { index = 0, signal } = options;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    const now = this.read(query);
    const isAhead = index > this.#feed.revision;
    if (this.#closed || now.index > index || index === 0) return Promise.resolve(now);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#settle(group, waiter);
        reject(signal?.reason as Error);
      };
      const waiter: Waiter = {
        index,
        hash: isAhead ? undefined : now.hash,
        resolve,
        timer: this.#clock.after(this.#waitMs(options.waitMs), () => this.#answer(group, waiter, this.read(query))),
        forget: () => signal?.removeEventListener('abort', onAbort),
      };
      const group = this.#groups.add(query, waiter);
      if (isAhead) this.#ahead.set(waiter, group);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Answers everyone with what is now. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#stop();
    if (this.#turn !== undefined) clearImmediate(this.#turn);
    this.#dirty.clear();
    for (const group of this.#groups.all()) {
      const now = this.read(group.query);
      for (const waiter of group.waiters) this.#answer(group, waiter, now);
    }
  }

  #waitMs(askedMs = 0): number {
    const waitMs = askedMs > 0 ? Math.min(askedMs, MAX_WAIT_MS) : DEFAULT_WAIT_MS;
    return waitMs + (this.#random() * waitMs) / 16;
  }

  #onApplied(change: AppliedChange): void {
    // What is held has no index of its own: answers differ under the one they had.
    if (change.held === true) this.#cache.clear();
    for (const group of this.#groups.touched(change.topics)) this.#dirty.add(group);
    for (const [waiter, group] of this.#ahead) if (waiter.index <= change.revision) this.#dirty.add(group);
    if (this.#turn === undefined) this.#work();
  }

  /** Looks at dirty groups until this turn's share is used up, then goes on in the next. */
  #work(): void {
    this.#turn = undefined;
    const started = this.#clock.now();
    let left = WAKES_PER_TURN;
    for (const group of this.#dirty) {
      left = this.#wake(group, left);
      if (left >= 0) this.#dirty.delete(group);
      if (left <= 0 || this.#clock.now() - started > WORK_PER_TURN_MS) break;
    }
    if (this.#dirty.size > 0) this.#turn = setImmediate(() => this.#work());
  }

  /** Wakes whoever has another answer than the present one; negative when not everyone could be looked at. */
  #wake(group: WaitingGroup, left: number): number {
    if (group.waiters.size === 0) return left;
    const now = this.read(group.query);
    let still = left;
    for (const waiter of group.waiters) {
      if (waiter.hash === undefined && !this.#catchUp(waiter, now)) continue;
      if (waiter.hash === now.hash) continue;
      if (still === 0) return -1;
      this.#answer(group, waiter, now);
      still--;
    }
    return still;
  }

  /**
   * A waiter that came with an index of a server ahead of this one: as soon as this one has applied it, the present answer
   * is theirs, unless the topic has moved even further. False while this server is still behind.
   */
  #catchUp(waiter: Waiter, now: Answer): boolean {
    if (this.#feed.revision < waiter.index) return false;
    this.#ahead.delete(waiter);
    waiter.hash = now.index > waiter.index ? '' : now.hash;
    return true;
  }

  #answer(group: WaitingGroup, waiter: Waiter, answer: Answer): void {
    if (this.#settle(group, waiter)) waiter.resolve(answer);
  }

  #settle(group: WaitingGroup, waiter: Waiter): boolean {
    if (!this.#groups.remove(group, waiter)) return false;
    this.#ahead.delete(waiter);
    waiter.timer.cancel();
    waiter.forget();
    return true;
  }
}
