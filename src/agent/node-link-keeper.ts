import path from 'node:path';
import type { Receipt } from '../change/index.ts';
import { ensureDirectory, messageOf, openState, saveState, type Clock, type Timer, type Timing } from '../lib/index.ts';
import { NodeLink, type NodeChannel, type Order } from '../link/index.ts';
import type { DirectChoice, NodeRegistration, NodeView, Transition } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';

type Choices = Readonly<Record<string, DirectChoice>>;

/** How a node finds its region. */
export interface NodeLinkKeeperOptions {
  readonly node: string;
  /** A new channel to a server of the region. */
  readonly connect: () => NodeChannel;
  readonly stateDirectory: string;
  readonly timing: Pick<Timing, 'reconnectJitterMs' | 'syncMs'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly warn: (text: string) => void;
}

/** What is said to the region, and who hears what it says. */
export interface LinkEnds {
  /** All that the region should hold of the node, as of now. */
  readonly registration: () => NodeRegistration;
  readonly onView: (view: NodeView) => void;
  readonly onOrder: (order: Order) => void;
}

/** Keeps a node linked to its region: greets, reconnects with jitter, compares now and then, remembers direct choices. */
export class NodeLinkKeeper implements AsyncDisposable {
  readonly #options: NodeLinkKeeperOptions;
  readonly #file: string;
  readonly #receipts = new Map<string, Omit<Receipt, 'node'>>();
  readonly #closing = new AbortController();
  #ends: LinkEnds | null = null;
  #choices: Choices = {};
  #link: NodeLink | null = null;
  #connecting: Promise<NodeLink | null> = Promise.resolve(null);
  #syncTimer: Timer | null = null;
  #view: NodeView | null = null;
  #saving: Promise<void> = Promise.resolve();

  constructor(options: NodeLinkKeeperOptions) {
    this.#options = options;
    this.#file = path.join(options.stateDirectory, 'choices.json');
  }

  /** Greets the region; resolves when it has taken the node up. @throws LINK_REFUSED, LINK_CLOSED */
  async open(ends: LinkEnds): Promise<void> {
    const { stateDirectory, warn } = this.#options;
    this.#ends = ends;
    await ensureDirectory(stateDirectory);
    const opened = await openState(this.#file, (value) => value as Choices);
    if (opened.damaged)
      warn(`direct choices were damaged (${opened.damaged.reason}); kept as ${opened.damaged.keptAs}`);
    this.#choices = opened.value ?? {};
    this.#connecting = this.#connect(ends);
    await this.#connecting;
  }

  /** The newest view that came; null before the first. */
  get view(): NodeView | null {
    return this.#view;
  }

  /**
   * Tells what became different. While the node is not linked its next greeting tells all, and the revision is that of
   * the greeting; before `open` there is nobody to tell, and the revision is 0.
   */
  async report(transitions: readonly Transition[]): Promise<Revision> {
    if (this.#link?.isOpen === true) return this.#link.report(transitions);
    return (await this.#connecting)?.revision ?? 0;
  }

  /** Compares all that is registered with what the region holds, now; 0 before `open`. @throws LINK_CLOSED, REGISTRY_… */
  async sync(): Promise<Revision> {
    if (this.#link?.isOpen === true && this.#ends !== null) return this.#link.sync(this.#ends.registration());
    return (await this.#connecting)?.revision ?? 0;
  }

  /** Hands on a receipt; the newest of each consumer is said again after a reconnection. */
  receipt(receipt: Omit<Receipt, 'node'>): void {
    this.#receipts.set(receipt.kind, receipt);
    this.#link?.receipt(receipt);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#syncTimer?.cancel();
    await this.#connecting.catch(() => undefined);
    this.#link?.close('the agent stops');
    await this.#saving.catch(() => undefined);
  }

  async #connect({ registration, onOrder }: LinkEnds): Promise<NodeLink> {
    const { connect, node, clock } = this.#options;
    const link = await NodeLink.connect({
      channel: connect(),
      node,
      epoch: Math.floor(clock.wall()),
      registration: registration(),
      choices: this.#choices,
      signal: this.#closing.signal,
    });
    this.#link = link;
    for (const receipt of this.#receipts.values()) link.receipt(receipt);
    link.onView((view) => this.#take(view));
    link.onOrder(onOrder);
    void link.closed.then((reason) => this.#lost(reason));
    this.#scheduleSync();
    return link;
  }

  #take(view: NodeView): void {
    const changed = JSON.stringify(view.choices) !== JSON.stringify(this.#choices);
    this.#view = view;
    if (changed) this.#keep(view.choices);
    this.#ends?.onView(view);
  }

  #keep(choices: Choices): void {
    this.#choices = choices;
    this.#saving = this.#saving
      .then(() => saveState(this.#file, choices, { durable: false }))
      .catch((error: unknown) => this.#options.warn(`cannot keep direct choices: ${messageOf(error)}`));
  }

  #lost(reason: string): void {
    this.#link = null;
    this.#syncTimer?.cancel();
    if (this.#closing.signal.aborted || this.#ends === null) return;
    this.#options.warn(`the link to the region is gone: ${reason}`);
    this.#connecting = this.#reconnect(this.#ends);
    this.#connecting.catch(() => undefined);
  }

  async #reconnect(ends: LinkEnds): Promise<NodeLink> {
    const { clock, random, timing, warn } = this.#options;
    for (;;) {
      await clock.sleep(random() * timing.reconnectJitterMs, this.#closing.signal);
      try {
        return await this.#connect(ends);
      } catch (error) {
        if (this.#closing.signal.aborted) throw error;
        warn(`cannot link to the region: ${messageOf(error)}`);
      }
    }
  }

  #scheduleSync(): void {
    const { clock, random, timing } = this.#options;
    this.#syncTimer?.cancel();
    this.#syncTimer = clock.after(timing.syncMs * (0.9 + random() * 0.2), () => void this.#compare());
  }

  async #compare(): Promise<void> {
    const link = this.#link;
    try {
      await this.sync();
    } catch (error) {
      if (link?.isOpen === true) this.#options.warn(`the comparison with the region failed: ${messageOf(error)}`);
    }
    if (link?.isOpen === true) this.#scheduleSync();
  }
}
