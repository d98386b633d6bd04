import { messageOf } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import type { AppliedChange, CatalogReader, Choices, Feed, NodeView } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import { Answers } from './answers.ts';
import { ArrivalFigures } from './arrival-figures.ts';
import type { Figures } from './arrival-figures.ts';
import { ChangeLog, consumerKey, LOG_LIMITS } from './change-log.ts';
import type { ConsumerId, LoggedChange, LogLimits } from './change-log.ts';
import { arrivedEvent, changeEvent, replayOf } from './change-events.ts';
import { unknownRevision } from './errors.ts';
import { EventStream } from './event-stream.ts';
import type { ChangeEvent } from './event-stream.ts';
import { Interest } from './interest.ts';
import { latenessOf, type Lateness } from './lateness.ts';
import { LinkedNodes } from './linked-nodes.ts';
import { ReceiptBook } from './receipt-book.ts';
import type { Settled } from './receipt-book.ts';
import { isDone } from './receipt.ts';
import type { ConsumerKind, Receipt } from './receipt.ts';
import type { Standing, Took } from './standing.ts';
import type { ServerConsumer } from './server-consumer.ts';
import { toLogged } from './to-logged.ts';
import { isAwaited, isComplete, presenceOf, traceConsumers, traceOf } from './trace.ts';
import type { ConsumerTrace, Presence, Trace } from './trace.ts';
import { pendingOf, Waiters } from './waiters.ts';
import type { WaitOptions, WaitResult } from './waiters.ts';

export interface ChangesOptions {
  readonly feed: Pick<Feed, 'onApplied'>;
  /** Loaded, and fed by `feed`. */
  readonly catalog: CatalogReader;
  readonly clock: Clock;
  readonly limits?: LogLimits;
  /** Whether a node that is linked here has not gone over to another server since; always, unless told. */
  readonly owns?: (node: string) => boolean;
  /** Such parts of other servers as are known to run from the first: they are waited for before anything is heard of them. */
  readonly others?: readonly ConsumerId[];
}

/** A consumer of which something became known on this server itself, with how long changes took to it. */
export type Heard = (consumer: ConsumerId, took: readonly Took[]) => void;

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
  /** Such parts of the other servers that run. */
  #others: ReadonlyMap<string, ConsumerId>;
  readonly #linked = new LinkedNodes();
  readonly #owns: (node: string) => boolean;
  readonly #heardListeners = new Set<Heard>();
  readonly #viewListeners = new Set<(view: NodeView) => void>();
  /** Changes of which `arrived` has not been said. */
  readonly #open = new Set<LoggedChange>();
  readonly #stop: () => void;
  /** Whether DNS has ever said something that was held. */
  #hasHeld = false;

  /** Begins with the revision that the catalog has: earlier ones are unknown. */
  static start(options: ChangesOptions): Promise<Changes> {
    return Promise.resolve(new Changes(options));
  }

  private constructor({ feed, catalog, clock, limits = LOG_LIMITS, owns = () => true, others = [] }: ChangesOptions) {
    this.#catalog = catalog;
    this.#owns = owns;
    this.#others = byKey(others);
    this.#clock = clock;
    this.#log = new ChangeLog(catalog.revision, limits);
    this.#interest = new Interest(catalog);
    this.#answers = new Answers(catalog);
    this.#waiters = new Waiters(clock, {
      memory: (revision) => this.#log.memory(revision),
      consumers: (revision) => this.#consumers(revision),
      isAwaited: (revision, provisions) => isAwaited(this.#log.get(revision), provisions, (one) => this.#presence(one)),
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
    // It begins with what is here: nobody waits for it on account of what was before.
    this.receipt({ node: consumer.node, kind: consumer.kind, revision: this.#log.newest, outcome: 'applied' });
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
    this.#linked.unlink(node);
    return this.#interest.adopt(node, choices);
  }

  /**
   * A node has linked to this server and is to be sent its view of now, which is returned. From its consumers' receipts for it
   * on, this server says for them what does not concern them.
   */
  linked(node: string): NodeView | undefined {
    this.#linked.link(node, this.#catalog.revision);
    return this.#interest.renew(node);
  }

  /** Its link is gone: what it has taken up is not known here any more. */
  unlinked(node: string): void {
    this.#interest.withdraw(node);
    this.#linked.unlink(node);
  }

  /** Which parts of other servers that run take up changes: their DNS. Those that are gone are not waited for any more. */
  followOthers(consumers: readonly ConsumerId[]): void {
    this.#others = byKey(consumers);
    this.#recheck();
  }

  /** Called with each consumer of which something became known here, in order to tell the other servers. */
  onHeard(listen: Heard): () => void {
    this.#heardListeners.add(listen);
    return () => void this.#heardListeners.delete(listen);
  }

  /** All that is known of a consumer; undefined when it has said nothing. */
  standing(consumer: ConsumerId, took: readonly Took[] = []): Standing | undefined {
    return this.#book.standing(consumer, took);
  }

  /** Of every consumer whose word is of `since` or later, also what other servers told. */
  standings(since: Revision): Iterable<Standing> {
    return this.#book.standings(since);
  }

  /** The first revision of which everything is still known. */
  get oldest(): Revision {
    return this.#log.oldest;
  }

  /** Takes another server's word. What is of a revision that is yet to come here counts when it comes. */
  hear(server: string, standings: Iterable<Standing>): void {
    const nowMs = this.#clock.now();
    const changes = new Set<LoggedChange>();
    let hasTrouble = false;
    for (const standing of standings) {
      hasTrouble ||= standing.trouble !== null;
      const settled = this.#book.hear(standing, server, nowMs);
      this.#noteArrivals(settled, { ...standing, revision: standing.applied });
      if (standing.trouble !== null) this.#stream.emit({ type: 'receipt', receipt: standing.trouble, settled: [] });
      for (const { change } of settled) changes.add(change);
    }
    this.#arrived(changes);
    if (hasTrouble) this.#waiters.check();
  }

  /** Called with each view that became another one, in the event-loop turn of its revision. */
  onView(listen: (view: NodeView) => void): () => void {
    this.#viewListeners.add(listen);
    return () => void this.#viewListeners.delete(listen);
  }

  /** Takes a consumer's word. One for a later revision than is known here counts up to what is known. */
  receipt(receipt: Receipt): void {
    const known = { ...receipt, revision: Math.min(receipt.revision, this.#log.newest) };
    this.#linked.heard(known);
    this.#take(known);
    this.#vouch(known);
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
    return latenessOf(this.#book.owing(), (one) => this.#presence(one) === 'there', this.#clock.now());
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    this.#stream.end();
    return Promise.resolve();
  }

  #apply(change: AppliedChange): void {
    if (change.held === true) return this.#show(change);
    // Who took part of it up and gave it back owes something that is not seen here; where this server is alone nobody did.
    if (change.since !== undefined) this.#log.skip(change.since, change.revision - (this.#others.size > 0 ? 0 : 1));
    const answered = this.#answers.changedBy(change);
    const { interested, unsure, views } = this.#interest.apply(change);
    const servers = answered ? [...this.#servers.values()] : [];
    const others = answered ? this.#others.values() : [];
    const untouched = new Set(unsure.filter((one) => this.#isUntouched(one)));
    const open = unsure.filter((one) => !untouched.has(one));
    const logged = this.#record(change, [...interested, ...open, ...servers, ...others], open);
    this.#vouchFor(untouched, change.revision);
    // What its DNS already said while it was held is news to the others only now.
    if (!answered && this.#hasHeld) this.#vouchFor(this.#servers.values(), change.revision);
    for (const listen of this.#viewListeners) for (const view of views) listen(view);
    for (const server of servers) this.#offer(server, change);
    this.#followNodes(change.nodes, logged);
  }

  /** Who came, went, or is down now: what they owe may have arrived everywhere else. */
  #followNodes(nodes: ReadonlySet<string>, logged: LoggedChange): void {
    const touched = new Set<LoggedChange>([logged]);
    let hasTrouble = false;
    for (const node of nodes) {
      for (const change of this.#book.owed(node)) touched.add(change);
      hasTrouble ||= this.#book.isTroubled(node);
      if (this.#catalog.node(node) === undefined) this.#book.leave(node);
    }
    this.#arrived(touched);
    if (hasTrouble) this.#waiters.check();
  }

  /** Whether a consumer is known to have the inputs that it is known here to have, so that another choice than that is out of the question. */
  #isUntouched(consumer: ConsumerId): boolean {
    return this.#isSure(consumer) && !this.#book.owes(consumerKey(consumer));
  }

  #isSure(consumer: ConsumerId): boolean {
    return this.#linked.isConfirmed(consumer) && this.#owns(consumer.node);
  }

  /** Says for a consumer of a node that is linked here that it has nothing to do in changes which might have concerned it. */
  #vouch({ node, kind }: ConsumerId): void {
    const last = this.#book.lastUnsure(consumerKey({ node, kind }));
    if (last === undefined || !this.#isSure({ node, kind })) return;
    this.#take({ node, kind, revision: last.revision, outcome: 'unchanged' });
  }

  /** Here they are not even asked; another server cannot know that. */
  #vouchFor(untouched: Iterable<ConsumerId>, revision: Revision): void {
    if (this.#heardListeners.size === 0) return;
    for (const { node, kind } of untouched) {
      this.#book.take({ node, kind, revision, outcome: 'unchanged' }, this.#clock.now());
      this.#tellHeard({ node, kind }, [[revision, 0]]);
    }
  }

  #take(receipt: Receipt): void {
    const settled = this.#book.take(receipt, this.#clock.now());
    this.#noteArrivals(settled, receipt);
    this.#tellHeard(
      receipt,
      settled.map(({ change, tookMs }): Took => [change.revision, tookMs]),
    );
    this.#arrived(settled.map((one) => one.change));
    if (!isDone(receipt.outcome)) this.#waiters.check();
  }

  #noteArrivals(settled: readonly Settled[], { node, kind, revision, outcome, ...rest }: Receipt): void {
    for (const { tookMs } of settled) this.#figures.add(kind, tookMs);
    if (settled.length === 0 && isDone(outcome)) return;
    const revisions = settled.map(({ change, tookMs }) => ({ revision: change.revision, tookMs }));
    const { reason, retryAt } = rest;
    const why = { ...(reason === undefined ? {} : { reason }), ...(retryAt === undefined ? {} : { retryAt }) };
    this.#stream.emit({ type: 'receipt', receipt: { node, kind, revision, outcome, ...why }, settled: revisions });
  }

  #tellHeard({ node, kind }: ConsumerId, took: readonly Took[]): void {
    for (const listen of this.#heardListeners) listen({ node, kind }, took);
  }

  /** What is held is no change of its own: nobody owes a receipt for it, and nodes of this server see it all the same. */
  #show(change: AppliedChange): void {
    this.#hasHeld = this.#answers.changedBy(change) || this.#hasHeld;
    for (const view of this.#interest.apply(change).views) for (const listen of this.#viewListeners) listen(view);
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

  #record(change: AppliedChange, consumers: readonly ConsumerId[], unsure: readonly ConsumerId[]): LoggedChange {
    const atMs = this.#clock.wall() - Math.max(0, this.#clock.now() - change.appliedAtMs);
    const logged = toLogged(change, consumers, unsure, atMs);
    for (const dropped of this.#log.add(logged)) {
      this.#book.forget(dropped);
      this.#open.delete(dropped);
    }
    for (const { consumer, tookMs } of this.#book.expect(logged)) this.#figures.add(consumer.kind, tookMs);
    if (logged.interested.size > 0) this.#open.add(logged);
    if (this.#stream.isRead) this.#stream.emit(changeEvent(logged));
    return logged;
  }

  /** Somebody came or went: nothing is as it was for those who wait. */
  #recheck(): void {
    this.#sayArrived(this.#open);
    this.#waiters.check();
  }

  #arrived(changes: Iterable<LoggedChange>): void {
    this.#sayArrived(changes);
    this.#waiters.checkArrivals();
  }

  /** Says of each change that has now arrived everywhere that it has. */
  #sayArrived(changes: Iterable<LoggedChange>): void {
    for (const change of changes) {
      if (!this.#open.has(change) || !isComplete(change, (one) => this.#presence(one))) continue;
      this.#open.delete(change);
      this.#stream.emit(arrivedEvent(change));
    }
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
    const key = consumerKey(consumer);
    return this.#servers.has(key) || this.#others.has(key) ? 'there' : presenceOf(this.#catalog, consumer);
  }

  #replay(after: Revision): readonly ChangeEvent[] {
    return replayOf({ after, oldest: this.#log.oldest, changes: this.#log.after(after) }, (change) =>
      this.#open.has(change),
    );
  }
}

function byKey(consumers: readonly ConsumerId[]): ReadonlyMap<string, ConsumerId> {
  return new Map(consumers.map((one) => [consumerKey(one), one]));
}
