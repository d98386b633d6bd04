import { messageOf } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import type { AppliedChange, CatalogReader, Choices, Feed, NodeView } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import { Answers } from './answers.ts';
import { ArrivalFigures } from './arrival-figures.ts';
import type { Figures } from './arrival-figures.ts';
import { ChangeLog, consumerKey, LOG_LIMITS } from './change-log.ts';
import type { ConsumerId, LoggedChange, LogLimits } from './change-log.ts';
import { unknownRevision } from './errors.ts';
import { EventStream } from './event-stream.ts';
import type { ChangeEvent } from './event-stream.ts';
import { Interest } from './interest.ts';
import { ReceiptBook } from './receipt-book.ts';
import type { ConsumerKind, Receipt } from './receipt.ts';
import type { ServerConsumer } from './server-consumer.ts';
import { isComplete, presenceOf, traceConsumers, traceOf } from './trace.ts';
import type { ConsumerTrace, Presence, Trace } from './trace.ts';
import { pendingOf, Waiters } from './waiters.ts';
import type { WaitOptions, WaitResult } from './waiters.ts';

export interface ChangesOptions {
  readonly feed: Pick<Feed, 'onApplied'>;
  /** Loaded, and fed by `feed`. */
  readonly catalog: CatalogReader;
  readonly clock: Clock;
  readonly limits?: LogLimits;
}

/** Who still owes what, for metrics and the dashboard. */
export interface Lateness {
  readonly node: string;
  readonly kind: ConsumerKind;
  readonly revision: Revision;
  readonly forMs: number;
}

/**
 * Follows every revision: whose inputs it changed (interest), who has taken it up (receipts), and where it has not
 * arrived (trace). Node views come from here, so that what a node is sent and what is expected of it are one thing.
 */
export class Changes implements AsyncDisposable {
  readonly #catalog: CatalogReader;
  readonly #clock: Clock;
  readonly #log: ChangeLog;
  readonly #interest: Interest;
  readonly #answers: Answers;
  readonly #book = new ReceiptBook();
  readonly #figures = new ArrivalFigures();
  readonly #stream = new EventStream();
  readonly #waiters: Waiters;
  readonly #servers = new Map<string, ServerConsumer>();
  readonly #viewListeners = new Set<(view: NodeView) => void>();
  /** Changes of which `arrived` has not been said. */
  readonly #open = new Set<LoggedChange>();
  /** Shared by all changes that nobody takes up, which are most: three maps for each are what remembering it would cost. */
  readonly #nobody = new Map<string, never>();
  readonly #stop: () => void;

  /** Begins with the revision that the catalog has: earlier ones are unknown. */
  static start(options: ChangesOptions): Promise<Changes> {
    return Promise.resolve(new Changes(options));
  }

  private constructor({ feed, catalog, clock, limits = LOG_LIMITS }: ChangesOptions) {
    this.#catalog = catalog;
    this.#clock = clock;
    this.#log = new ChangeLog(catalog.revision, limits);
    this.#interest = new Interest(catalog);
    this.#answers = new Answers(catalog);
    this.#waiters = new Waiters(clock, {
      memory: (revision) => this.#log.memory(revision),
      consumers: (revision) => this.#consumers(revision),
      unknown: (revision) => unknownRevision(revision, this.#log.oldest, this.#log.newest),
    });
    this.#stop = feed.onApplied((change) => this.#apply(change));
  }

  /** The last revision it has followed. */
  get revision(): Revision {
    return this.#log.newest;
  }

  /** A part of the server that takes up changes in process; returns how to end that. */
  addServerConsumer(consumer: ServerConsumer): () => void {
    const key = consumerKey(consumer);
    this.#servers.set(key, consumer);
    return () => {
      if (this.#servers.get(key) === consumer) this.#servers.delete(key);
      this.#recheck();
    };
  }

  /** The node's view as of now; undefined for one without consumers that never greeted. */
  view(node: string): NodeView | undefined {
    return this.#interest.view(node);
  }

  /** The view that follows from the direct choices which the node itself remembers; undefined until it is registered. */
  adoptChoices(node: string, choices: Choices): NodeView | undefined {
    return this.#interest.adopt(node, choices);
  }

  /** Called with each view that became another one, in the event-loop turn of its revision. */
  onView(listen: (view: NodeView) => void): () => void {
    this.#viewListeners.add(listen);
    return () => void this.#viewListeners.delete(listen);
  }

  /** Takes a consumer's word. One for a later revision than is known here counts up to what is known. */
  receipt(receipt: Receipt): void {
    const known = { ...receipt, revision: Math.min(receipt.revision, this.#log.newest) };
    const settled = this.#book.take(known, this.#clock.now());
    for (const { tookMs } of settled) this.#figures.add(receipt.kind, tookMs);
    const isTrouble = receipt.outcome !== 'applied' && receipt.outcome !== 'unchanged';
    if (settled.length > 0 || isTrouble) {
      const revisions = settled.map(({ change, tookMs }) => ({ revision: change.revision, tookMs }));
      this.#stream.emit({ type: 'receipt', receipt: known, settled: revisions });
    }
    this.#recheck(settled.map((one) => one.change));
  }

  /** Whether everyone who is interested, on nodes that are not down, has the revision. @throws CHANGE_UNKNOWN_REVISION */
  converged(revision: Revision, options: { readonly provisions: boolean } = { provisions: true }): boolean {
    return pendingOf(this.#checked(revision), options.provisions).length === 0;
  }

  /** @throws CHANGE_UNKNOWN_REVISION for one that is too old or does not exist yet */
  trace(revision: Revision): Trace {
    return traceOf(revision, this.#log.get(revision), this.#checked(revision));
  }

  /** The latest changes, newest first. */
  latest(limit: number): readonly Trace[] {
    return this.#log.latest(limit).map((change) => traceOf(change.revision, change, this.#consumers(change.revision)));
  }

  /**
   * Waits until the revision has arrived everywhere, at most `timeoutMs`; over at once when somebody refused, failed or is
   * held. A revision that this server has yet to see is waited for as well.
   *
   * @throws CHANGE_UNKNOWN_REVISION, or the signal's reason
   */
  waitConverged(revision: Revision, options: WaitOptions): Promise<WaitResult> {
    return this.#waiters.wait(revision, options);
  }

  /**
   * What happens to changes: those after the given revision, where they have arrived, and then everything that comes,
   * until aborted. Without a revision, what comes.
   */
  events(after: Revision | undefined, signal: AbortSignal): AsyncIterable<ChangeEvent> {
    return this.#stream.read(after === undefined ? [] : this.#replay(after), signal);
  }

  /** How long arrivals took, by kind. */
  figures(): ReadonlyMap<ConsumerKind, Figures> {
    return this.#figures.byKind();
  }

  /** Who has not taken up everything, the longest first; nodes that are down are left out. */
  late(): readonly Lateness[] {
    const nowMs = this.#clock.now();
    return [...this.#book.owing()]
      .map(([key, change]) => ({ consumer: change.interested.get(key), change }))
      .flatMap(({ consumer, change }) =>
        consumer === undefined || this.#presence(consumer) !== 'there'
          ? []
          : [{ ...consumer, revision: change.revision, forMs: nowMs - change.appliedAtMs }],
      )
      .toSorted((a, b) => b.forMs - a.forMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    this.#stream.end();
    return Promise.resolve();
  }

  #apply(change: AppliedChange): void {
    const answered = this.#answers.changedBy(change);
    const { interested, views } = this.#interest.apply(change);
    const servers = answered ? [...this.#servers.values()] : [];
    const logged = this.#record(change, [...interested, ...servers]);
    for (const listen of this.#viewListeners) for (const view of views) listen(view);
    for (const server of servers) this.#offer(server, change);
    for (const node of change.nodes) if (this.#catalog.node(node) === undefined) this.#book.leave(node);
    if (change.nodes.size > 0) this.#recheck();
    else this.#recheck([logged]);
  }

  /** A part of the server that throws has not taken the change up; the others and the commit go on. */
  #offer(server: ServerConsumer, change: AppliedChange): void {
    const receipt = { node: server.node, kind: server.kind, revision: change.revision };
    try {
      if (server.take(change) === 'applied') this.receipt({ ...receipt, outcome: 'applied' });
    } catch (error) {
      this.receipt({ ...receipt, outcome: 'failed', reason: messageOf(error) });
    }
  }

  #record(change: AppliedChange, consumers: readonly ConsumerId[]): LoggedChange {
    const isForNobody = consumers.length === 0;
    const interested = isForNobody
      ? this.#nobody
      : new Map(consumers.map(({ node, kind }) => [consumerKey({ node, kind }), { node, kind }]));
    const logged: LoggedChange = {
      revision: change.revision,
      atMs: this.#clock.wall() - Math.max(0, this.#clock.now() - change.appliedAtMs),
      appliedAtMs: change.appliedAtMs,
      summary: change.summary,
      ...(change.author === undefined ? {} : { author: change.author }),
      interested,
      missing: isForNobody ? this.#nobody : new Map(interested),
      arrivals: isForNobody ? this.#nobody : new Map(),
    };
    for (const dropped of this.#log.add(logged)) {
      this.#book.forget(dropped);
      this.#open.delete(dropped);
    }
    this.#book.expect(logged);
    if (logged.interested.size > 0) this.#open.add(logged);
    if (this.#stream.isRead) this.#stream.emit(changeEvent(logged));
    return logged;
  }

  /** Says of each change that has now arrived everywhere that it has, and looks at who waits. */
  #recheck(changes: Iterable<LoggedChange> = this.#open): void {
    for (const change of changes) {
      if (!this.#open.has(change) || !isComplete(change, (one) => this.#presence(one))) continue;
      this.#open.delete(change);
      this.#stream.emit(arrivedEvent(change));
    }
    this.#waiters.check();
  }

  #consumers(revision: Revision): readonly ConsumerTrace[] {
    const change = this.#log.get(revision);
    return change === undefined ? [] : traceConsumers(change, this.#book, (one) => this.#presence(one));
  }

  #checked(revision: Revision): readonly ConsumerTrace[] {
    if (this.#log.memory(revision) !== 'known') throw unknownRevision(revision, this.#log.oldest, this.#log.newest);
    return this.#consumers(revision);
  }

  #presence(consumer: ConsumerId): Presence {
    return this.#servers.has(consumerKey(consumer)) ? 'there' : presenceOf(this.#catalog, consumer);
  }

  #replay(after: Revision): readonly ChangeEvent[] {
    const { oldest } = this.#log;
    const gap: ChangeEvent[] = after + 1 < oldest ? [{ type: 'gap', after, before: oldest }] : [];
    return this.#log.after(after).reduce((events, change) => {
      events.push(changeEvent(change));
      if (change.interested.size > 0 && !this.#open.has(change)) events.push(arrivedEvent(change));
      return events;
    }, gap);
  }
}

function changeEvent({ revision, atMs, summary, author, interested }: LoggedChange): ChangeEvent {
  const by = author === undefined ? {} : { author };
  return { type: 'change', revision, at: new Date(atMs).toISOString(), summary, ...by, of: interested.size };
}

function arrivedEvent({ revision, arrivals }: LoggedChange): ChangeEvent {
  const tookMs = Math.max(0, ...[...arrivals.values()].map((arrival) => arrival.tookMs));
  return { type: 'arrived', revision, of: arrivals.size, tookMs };
}
