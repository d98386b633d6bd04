import type { Receipt } from '../change/index.ts';
import { Backoff, DroverError, messageOf, type Clock, type Timer, type Timing } from '../lib/index.ts';
import {
  linkClosed,
  LinkRefusal,
  NodeLink,
  type Answer,
  type Ask,
  type AskOptions,
  type NodeChannel,
  type NodeQuestions,
  type Order,
  type QuestionHandlers,
  type QuestionKind,
  type RegionQuestions,
} from '../link/index.ts';
import { isWriteless, type NodeRegistration, type NodeView, type Transition } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import { agentStops, noRegion } from './errors.ts';
import { LinkMemory } from './link-memory.ts';

/** How a node finds its region. */
export interface NodeLinkKeeperOptions {
  readonly node: string;
  /** A new channel to a server of the region. */
  readonly connect: (signal: AbortSignal) => NodeChannel | Promise<NodeChannel>;
  /** The region is in other processes: what keeps the node from them is no reason not to start, and nobody waits long for them. */
  readonly isElsewhere?: boolean | undefined;
  /** Told when the node has greeted over a channel, and when its greeting came to nothing. */
  readonly onLinked?: ((link: NodeLink, channel: NodeChannel) => void) | undefined;
  readonly onRefused?: ((channel: NodeChannel) => void) | undefined;
  /** What the node answers when the region asks. */
  readonly questions?: QuestionHandlers<NodeQuestions> | undefined;
  /** The node's own, where it remembers its link over restarts. */
  readonly stateDirectory: string;
  readonly timing: Pick<Timing, 'heartbeatMs' | 'reconnectJitterMs' | 'syncMs'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly warn: (text: string) => void;
  /** Told what ends a warning. */
  readonly info?: (text: string) => void;
}

/** What is said to the region, and who hears what it says. */
export interface LinkEnds {
  /** All that the region should hold of the node, as of now. */
  readonly registration: () => NodeRegistration;
  readonly onView: (view: NodeView) => void;
  readonly onOrder: (order: Order) => void;
  /** Why there is no link; null when there is one again. */
  readonly onCut: (reason: string | null) => void;
}

/** Keeps a node linked to its region: greets, reconnects with jitter, compares now and then, says again what was not taken. */
export class NodeLinkKeeper implements AsyncDisposable {
  readonly #options: NodeLinkKeeperOptions;
  readonly #receipts = new Map<string, Omit<Receipt, 'node'>>();
  readonly #closing = new AbortController();
  #ends: LinkEnds | null = null;
  #memory: LinkMemory | null = null;
  #link: NodeLink | null = null;
  #connecting: Promise<NodeLink | null> = Promise.resolve(null);
  #syncTimer: Timer | null = null;
  #view: NodeView | null = null;
  /** How often something became different, and how often it had when the last greeting was made. */
  #changes = 0;
  #greeted = 0;
  #failures = 0;
  readonly #refusals: Backoff;
  /** There is no server to link to for now: nobody waits for one. */
  #isApart = false;

  constructor(options: NodeLinkKeeperOptions) {
    this.#options = options;
    this.#refusals = new Backoff({ firstMs: options.timing.heartbeatMs, mostMs: options.timing.syncMs / 2 });
  }

  /**
   * Greets the region; resolves when it has taken the node up, or at once where there is no server to link to, or none of those
   * elsewhere takes it: then it goes on trying, and what is registered is told when there is one.
   *
   * @throws LINK_REFUSED, LINK_CLOSED
   */
  async open(ends: LinkEnds): Promise<void> {
    const { stateDirectory, warn } = this.#options;
    const memory = await LinkMemory.open(stateDirectory, warn);
    this.#memory = memory;
    this.#ends = ends;
    this.#connecting = this.#connect(ends, memory);
    await this.#connecting.catch((error: unknown) => {
      if (!this.#isElsewhere && !isWithoutRegion(error)) throw error;
      this.#lost(messageOf(error));
    });
    await memory.saved();
  }

  /** The newest view that came; null before the first. */
  get view(): NodeView | null {
    return this.#view;
  }

  /**
   * Tells what became different. While the node is not linked its next greeting tells all, and that is waited for, for a region
   * elsewhere not long; before `open`, and where there is no server to link to, there is nobody to tell, and the revision is 0; so
   * it is while the region's store takes no writes (decision 159).
   *
   * @throws REGISTRY_…: the region did not take it, and is told again soon
   */
  async report(transitions: readonly Transition[]): Promise<Revision> {
    const change = ++this.#changes;
    if (this.#link?.isOpen !== true) return this.#greetedWith(change);
    try {
      return await this.#patiently(this.#link.report(transitions));
    } catch (error) {
      if (this.#link?.isOpen !== true) return this.#greetedWith(change);
      this.#scheduleSync(this.#retryMs(error));
      return zeroWhereNothingIsWritten(error);
    }
  }

  /** Compares all that is registered with what the region holds, now; 0 before `open`. @throws LINK_CLOSED, REGISTRY_… */
  async sync(): Promise<Revision> {
    const change = ++this.#changes;
    if (this.#link?.isOpen !== true || this.#ends === null) return this.#greetedWith(change);
    return this.#patiently(this.#link.sync(this.#ends.registration()));
  }

  /** Asks the region. @throws LINK_CLOSED while there is no link, and as `NodeLink.ask` */
  ask<Kind extends QuestionKind<RegionQuestions>>(
    kind: Kind,
    ask: Ask<RegionQuestions, Kind>,
    options?: AskOptions,
  ): Promise<Answer<RegionQuestions, Kind>> {
    if (this.#link?.isOpen !== true) return Promise.reject(linkClosed('the node is not linked'));
    return this.#link.ask(kind, ask, options);
  }

  /** Hands on a receipt; the newest of each consumer is said again after a reconnection. */
  receipt(receipt: Omit<Receipt, 'node'>): void {
    this.#receipts.set(receipt.kind, receipt);
    this.#link?.receipt(receipt);
  }

  /** Says the node's last word and closes: nothing that is still under way makes it come back. @throws as `report` */
  async leave(last: Transition): Promise<Revision> {
    const revision = await this.report([last]);
    this.#close('the node leaves');
    return revision;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close('the agent stops');
    await this.#connecting.catch(() => undefined);
    await this.#memory?.[Symbol.asyncDispose]();
  }

  #close(reason: string): void {
    this.#syncTimer?.cancel();
    this.#link?.close(reason);
    // Ends a greeting that is under way, and keeps the node from greeting again.
    this.#closing.abort();
  }

  /** The revision of a greeting that tells of a change; what came after the greeting was made is told after it. */
  async #greetedWith(change: number): Promise<Revision> {
    if (this.#closing.signal.aborted) throw agentStops();
    if (this.#isApart) return 0;
    return this.#patiently(
      this.#connecting.then((link) => {
        if (link === null) return 0;
        return change <= this.#greeted ? link.revision : this.sync();
      }),
    );
  }

  get #isElsewhere(): boolean {
    return this.#options.isElsewhere === true;
  }

  /** What a region elsewhere has not answered by then is told all the same, and nobody waits for it any longer. */
  #patiently(answer: Promise<Revision>): Promise<Revision> {
    if (!this.#isElsewhere) return answer;
    return new Promise((resolve, reject) => {
      let isLate = false;
      const timer = this.#options.clock.after(PATIENCE_MS, () => {
        isLate = true;
        resolve(0);
      });
      const failed = (error: Error): void => {
        timer.cancel();
        reject(error);
        if (isLate && this.#link?.isOpen === true) this.#scheduleSync(this.#retryMs());
      };
      answer.then((revision) => {
        timer.cancel();
        resolve(revision);
      }, failed);
    });
  }

  async #connect({ registration, onOrder, onCut }: LinkEnds, memory: LinkMemory): Promise<NodeLink> {
    const { connect, node, clock, onLinked, onRefused, questions } = this.#options;
    const channel = await this.#channelFrom(connect);
    // From here on nothing is awaited before the greeting: what becomes different later is told after it.
    const epoch = memory.nextEpoch(clock);
    const greeted = this.#changes;
    const link = await NodeLink.connect({
      channel,
      node,
      epoch,
      agent: memory.agent,
      registration: registration(),
      choices: memory.choices,
      ...(questions === undefined ? {} : { questions }),
      signal: this.#closing.signal,
    }).catch((error: unknown) => {
      onRefused?.(channel);
      this.#isApart = this.#isElsewhere;
      if (error instanceof LinkRefusal && error.epoch !== null) memory.raise(error.epoch);
      throw error;
    });
    this.#greeted = greeted;
    this.#link = link;
    this.#isApart = false;
    this.#refusals.reset();
    onLinked?.(link, channel);
    for (const receipt of this.#receipts.values()) link.receipt(receipt);
    onCut(null);
    link.onView((view) => this.#take(view));
    link.onOrder(onOrder);
    void link.closed.then((reason) => this.#lost(reason));
    // Taken up by a region whose store takes no writes: it has to be told again.
    if (link.revision === 0) this.#scheduleSync(this.#owedMs);
    else this.#scheduleSync();
    return link;
  }

  async #channelFrom(connect: NodeLinkKeeperOptions['connect']): Promise<NodeChannel> {
    try {
      const channel = await connect(this.#closing.signal);
      this.#isApart = false;
      return channel;
    } catch (error) {
      this.#isApart = this.#isElsewhere || isWithoutRegion(error);
      throw error;
    }
  }

  #take(view: NodeView): void {
    this.#view = view;
    this.#memory?.keep(view.choices);
    this.#ends?.onView(view);
  }

  #lost(reason: string): void {
    this.#link = null;
    this.#syncTimer?.cancel();
    if (this.#closing.signal.aborted || this.#ends === null || this.#memory === null) return;
    this.#options.warn(this.#isApart ? reason : `the link to the region is gone: ${reason}`);
    this.#ends.onCut(reason);
    this.#connecting = this.#reconnect(this.#ends, this.#memory);
    this.#connecting.catch(() => undefined);
  }

  async #reconnect(ends: LinkEnds, memory: LinkMemory): Promise<NodeLink> {
    const { clock, random, timing, warn } = this.#options;
    const { signal } = this.#closing;
    let said = '';
    // Soon: there may be another server. Nobody else's first try is at the same moment, though.
    await clock.sleep((random() * timing.reconnectJitterMs) / (this.#isElsewhere ? 2 : 1), signal);
    for (;;) {
      try {
        const link = await this.#connect(ends, memory);
        this.#options.info?.(`linked to the region, at server ${link.server}`);
        return link;
      } catch (error) {
        if (signal.aborted) throw error;
        if (messageOf(error) !== said && !isWithoutRegion(error))
          warn(`cannot link to the region: ${messageOf(error)}`);
        said = messageOf(error);
        await clock.sleep(this.#pauseMs(error), signal);
      }
    }
  }

  /** How long to wait after a try that failed. Whoever knows the servers waits longer for those that were tried in vain. */
  #pauseMs(error: unknown): number {
    const { random, timing } = this.#options;
    if (error instanceof LinkRefusal && error.epoch === null && this.#isElsewhere)
      return this.#refusals.next() * (0.5 + random() / 2);
    if (this.#isElsewhere) return random() * timing.heartbeatMs;
    // Whoever is apart has time: nothing here waits for the link.
    return random() * timing.reconnectJitterMs + (this.#isApart ? timing.heartbeatMs : 0);
  }

  /** Soon at first, then ever later: a region in trouble is not asked by everyone at once. */
  #retryMs(error?: unknown): number {
    const { heartbeatMs, syncMs } = this.#options.timing;
    return Math.min(isWriteless(error) ? this.#owedMs : syncMs, heartbeatMs * 2 ** this.#failures++);
  }

  /** What is owed to a region whose store takes no writes is refused at once, and told soon after it does: by then all are to be equal. */
  get #owedMs(): number {
    return this.#options.timing.heartbeatMs * OWED_HEARTBEATS;
  }

  /** How long lies between two comparisons: the longer, the larger the region is. */
  get #syncMs(): number {
    return this.#options.timing.syncMs * (this.#link?.syncFactor ?? 1);
  }

  #scheduleSync(delayMs: number = this.#syncMs): void {
    const { clock, random } = this.#options;
    this.#syncTimer?.cancel();
    this.#syncTimer = clock.after(delayMs * (0.9 + random() * 0.2), () => void this.#compare());
  }

  async #compare(): Promise<void> {
    const { warn } = this.#options;
    let nextMs = this.#syncMs;
    try {
      await this.sync();
      this.#failures = 0;
    } catch (error) {
      nextMs = this.#retryMs(error);
      if (this.#link?.isOpen === true) warn(`the comparison with the region failed: ${messageOf(error)}`);
    }
    // Without a link the next greeting tells all, and begins to compare again.
    if (this.#link?.isOpen === true && !this.#closing.signal.aborted) this.#scheduleSync(nextMs);
  }
}

/** What is a node's own goes on while the region's store takes no writes, and is told later. @throws any other error */
export function zeroWhereNothingIsWritten(error: unknown): Revision {
  if (isWriteless(error)) return 0;
  throw error;
}

/** What a node says to a region elsewhere is waited for so long. */
const PATIENCE_MS = 1_000;
/** Between two tries to tell what could not be written. */
const OWED_HEARTBEATS = 3;

function isWithoutRegion(error: unknown): boolean {
  return error instanceof DroverError && error.code === noRegion.code;
}
