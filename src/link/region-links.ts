import { NO_ACCESS_CONTROL } from '../access/index.ts';
import { DroverError, messageOf, systemClock } from '../lib/index.ts';
import { isWriteless, oldEpoch, type NodeRegistration, type NodeView } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { RegionChannel } from './channel-pair.ts';
import { linkAway, linkClosed, linkOldEpoch } from './errors.ts';
import { judgeGreeting, type Hello, type Speaker } from './judge-greeting.ts';
import { authorityOf } from './link-authority.ts';
import { LinkSyncs } from './link-syncs.ts';
import { GREETING_ID, PROTOCOL_VERSION } from './messages.ts';
import type { KnownServer, NodeMessage, Order, RegionMessage } from './messages.ts';
import { partsOf, QuestionDesk, QuestionHandlers, type AskOptions, type QuestionHandler } from './question-desk.ts';
import type { Answer, Ask, NodeQuestions, QuestionKind, RegionQuestions } from './questions.ts';
import { refuse, send, type Link, type RegionLinksOptions } from './region-link.ts';
import { SaidRefusals } from './said-refusals.ts';
import type { LinkPeer } from './websocket-entrance.ts';

/** Whoever has said nothing by then is no node. */
const GREETING_MS = 10_000;
/** Nor is whoever has not sent by then what was wanted of its greeting: a large node over a slow line has long done so. */
const RECORDS_MS = 60_000;
/** What may be said before the welcome: what was wanted of the greeting, and that one is there. */
const EARLY: ReadonlySet<string> = new Set<NodeMessage['type']>(['give', 'ping', 'hello']);

/** The region's side of all links: takes up what nodes say, sends each the views that concern it. */
export class RegionLinks implements AsyncDisposable {
  readonly #options: RegionLinksOptions;
  readonly #links = new Map<string, Link>();
  /** The epoch that was last taken up, by node. */
  readonly #epochs = new Map<string, number>();
  /** Nodes whose view became another one since the last flush. */
  readonly #dirty = new Set<string>();
  readonly #handlers = new QuestionHandlers<RegionQuestions>();
  readonly #refusals: SaidRefusals;
  readonly #stop: () => void;
  #servers: readonly KnownServer[] = [];
  #flush: NodeJS.Immediate | undefined;

  static start(options: RegionLinksOptions): Promise<RegionLinks> {
    return Promise.resolve(new RegionLinks(options));
  }

  private constructor(options: RegionLinksOptions) {
    this.#options = options;
    this.#refusals = new SaidRefusals(options.warn);
    this.#stop = options.changes.onView((view) => this.#mark(view));
  }

  /** Nodes that are linked to this server, in order of name. */
  nodes(): readonly string[] {
    return [...this.#links.values()]
      .filter((link) => link.isWelcome)
      .map((link) => link.node)
      .toSorted();
  }

  /**
   * Takes a channel over; the first message must be the greeting. A `peer` of another process must be allowed to write the node
   * that it greets for, with access control on; null is a node of this very process.
   */
  accept(channel: RegionChannel, peer: LinkPeer | null = null): void {
    let link: Link | undefined;
    const { clock = systemClock } = this.#options;
    let late = clock.after(GREETING_MS, () => channel.close('no greeting came'));
    channel.onMessage((message) => {
      if (link !== undefined) return this.#receive(link, message);
      late.cancel();
      link = this.#greet(channel, peer, message);
      const greeted = link;
      if (greeted === undefined || greeted.isWhole) return;
      late = clock.after(RECORDS_MS, () => {
        if (!greeted.isWhole) channel.close('the records of the greeting did not come');
      });
    });
    channel.onQuiet?.(() => {
      if (link?.isWelcome === true && this.#links.get(link.node) === link) this.#options.onQuiet?.(link.node);
    });
    channel.onClose((reason) => {
      late.cancel();
      if (link === undefined) return;
      link.questions.end(linkClosed(reason));
      this.#drop(link, reason);
    });
  }

  /** Sends an order to a node. `fence` is the revision under which it was decided. @throws LINK_AWAY */
  order(node: string, order: Order, fence: Revision = this.#options.changes.revision): void {
    const link = this.#links.get(node);
    if (link?.isWelcome !== true) throw linkAway(node);
    link.channel.send({ type: 'order', fence, order });
  }

  /** Asks a node. @throws LINK_AWAY, its error, LINK_CLOSED, LINK_NO_ANSWER, LINK_UNKNOWN_QUESTION, the signal's reason */
  async ask<Kind extends QuestionKind<NodeQuestions>>(
    node: string,
    kind: Kind,
    ask: Ask<NodeQuestions, Kind>,
    options: AskOptions = {},
  ): Promise<Answer<NodeQuestions, Kind>> {
    const link = this.#links.get(node);
    if (link?.isWelcome !== true) throw linkAway(node);
    return link.questions.ask(kind, ask, options);
  }

  /** Says who answers a kind of question of nodes; each kind once. */
  onQuestion<Kind extends QuestionKind<RegionQuestions>>(
    kind: Kind,
    handler: QuestionHandler<RegionQuestions, Kind>,
  ): void {
    this.#handlers.set(kind, handler);
  }

  /** Tells every node, now and when it greets, which servers the region has. */
  tellServers(servers: readonly KnownServer[]): void {
    this.#servers = servers;
    for (const link of this.#links.values()) if (link.isWelcome) send(link, { type: 'servers', servers });
  }

  /** Ends the links of other processes before this server does: their nodes go to another one, and nobody is thought lost. */
  endRemote(reason: string): void {
    for (const link of this.#links.values()) {
      if (link.peer === null) continue;
      this.#links.delete(link.node);
      this.#dirty.delete(link.node);
      link.channel.close(reason);
    }
  }

  /** Ends every link, so that each node greets anew with all that it is. Nobody is thought lost on that account. */
  greetAgain(reason: string): void {
    const links = [...this.#links.values()];
    this.#links.clear();
    this.#dirty.clear();
    for (const link of links) {
      this.#options.changes.unlinked(link.node);
      link.channel.close(reason);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    clearImmediate(this.#flush);
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const link of links) link.channel.close('the server stops');
    return Promise.resolve();
  }

  #greet(channel: RegionChannel, peer: LinkPeer | null, message: NodeMessage): Link | undefined {
    const refusal = judgeGreeting(message, (node) => this.#speakerOf(node, peer));
    if (refusal !== null) {
      this.#turnAway(channel, message.type === 'hello' ? message.node : null, refusal);
      return undefined;
    }
    const hello = message as Hello;
    const replaced = this.#links.get(hello.node);
    const link = this.#linkOf(hello, channel, peer, replaced?.isWelcome === true || replaced?.isExpected === true);
    this.#links.set(hello.node, link);
    replaced?.channel.close('the node has connected again');
    link.syncs.compare(
      GREETING_ID,
      hello.record,
      hello.digests,
      (whole) => void this.#welcome(link, whole, hello.choices),
    );
    return link;
  }

  #linkOf(
    { node, epoch, agent, record }: Hello,
    channel: RegionChannel,
    peer: LinkPeer | null,
    isExpected: boolean,
  ): Link {
    const { authority, clock } = this.#options;
    const toNode = (message: RegionMessage): void => channel.send(message);
    const questions: Link['questions'] = new QuestionDesk({
      peer: () => node,
      send: toNode,
      handlers: this.#handlers,
      ...(clock === undefined ? {} : { clock }),
    });
    const syncs = new LinkSyncs({ held: () => authority.held(node), send: toNode });
    return {
      node,
      epoch,
      agent,
      record,
      channel,
      peer,
      questions,
      syncs,
      isWhole: false,
      isWelcome: false,
      isExpected,
    };
  }

  #speakerOf(node: string, peer: LinkPeer | null): Speaker {
    const { authority, clock = systemClock } = this.#options;
    return {
      linked: this.#links.get(node),
      heard: this.#epochs.get(node),
      stored: authority.epochOf(node),
      denial: this.#denial(node, peer),
      wallMs: clock.wall(),
    };
  }

  /** Why whoever is at the other end may not speak for a node. A token that is gone or was changed is noticed at its next word. */
  #denial(node: string, peer: LinkPeer | null): DroverError | null {
    if (peer === null) return null;
    try {
      authorityOf(this.#options.access ?? NO_ACCESS_CONTROL, peer).demand('node', node, 'write');
      return null;
    } catch (error) {
      return error as DroverError;
    }
  }

  async #welcome(link: Link, registration: NodeRegistration, choices: Hello['choices']): Promise<void> {
    const { changes, server } = this.#options;
    link.isWhole = true;
    if (this.#links.get(link.node) !== link) return;
    try {
      // Before the node is registered: its first view follows from them.
      changes.adoptChoices(link.node, choices);
      // A region whose store takes no writes knows the node for now, and is told again (design 12).
      const revision = await this.#sync(link, registration).catch(zeroWhereNothingIsWritten);
      if (this.#links.get(link.node) !== link) return;
      const syncFactor = syncFactorOf(this.#links.size * Math.max(1, this.#servers.length));
      send(link, { type: 'welcome', protocol: PROTOCOL_VERSION, server, revision, syncFactor });
      link.isWelcome = true;
      this.#refusals.forget(link.node);
      this.#options.changes.linked(link.node);
      this.#epochs.set(link.node, link.epoch);
      this.#options.onLinked?.(link.node);
      if (this.#servers.length > 0) send(link, { type: 'servers', servers: this.#servers });
      this.#sendView(link.node);
    } catch (error) {
      if (this.#links.get(link.node) !== link) return;
      this.#drop(link, messageOf(error));
      this.#turnAway(link.channel, link.node, error);
    }
  }

  #turnAway(channel: RegionChannel, node: string | null, error: unknown): void {
    const epoch = node === null ? null : this.#spokenSince(node, error);
    // One that greets again above an epoch needs nobody's care.
    if (node !== null && epoch === null) this.#refusals.say(node, error);
    refuse(channel, error, epoch);
  }

  #sync(link: Link, registration: NodeRegistration): Promise<Revision> {
    return this.#options.authority.syncNode(registration, link.epoch, link.agent === '' ? undefined : link.agent);
  }

  /** The epoch that a greeting must be above, where it was not; an agent whose clock was set back greets again above it. */
  #spokenSince(node: string, error: unknown): number | null {
    const code = error instanceof DroverError ? error.code : '';
    if (code !== oldEpoch.code && code !== linkOldEpoch.code) return null;
    return this.#options.authority.epochOf(node) ?? this.#epochs.get(node) ?? null;
  }

  #receive(link: Link, message: NodeMessage): void {
    if (this.#links.get(link.node) !== link) return;
    const { authority, changes } = this.#options;
    const denial = this.#denial(link.node, link.peer);
    if (denial !== null) return this.#refuse(link, denial);
    // Until it is known to be the node's agent, nothing that it says is the node's word.
    if (!link.isWelcome && !EARLY.has(message.type)) return link.channel.close('it has not been welcomed yet');
    switch (message.type) {
      case 'report':
        return this.#reply(link, message.id, () => authority.report(link.node, message.transitions, link.epoch));
      case 'sync':
        return this.#compare(link, message.id, message.digest);
      case 'details':
        return link.syncs.compare(message.id, message.record, message.digests, (whole) =>
          this.#reply(link, message.id, () => this.#sync(link, whole)),
        );
      case 'give':
        return link.syncs.given(message.id, message);
      case 'receipt':
        // A node speaks for its own consumers only.
        return changes.receipt({ ...message.receipt, node: link.node });
      case 'ask':
      case 'answer':
      case 'answer-error':
        return link.questions.receive(message);
      case 'ping':
        return send(link, { type: 'pong' });
      case 'hello':
        return link.channel.close('the node greeted twice');
    }
  }

  /** What is the same is no write, but for the liveness of a node that was thought lost. */
  #compare(link: Link, id: number, digest: string): void {
    const same = link.syncs.same(digest);
    if (same === null) return send(link, { type: 'differs', id });
    this.#reply(link, id, () => this.#sync(link, same));
  }

  #refuse(link: Link, error: unknown): void {
    refuse(link.channel, error, null);
    this.#drop(link, messageOf(error));
  }

  #reply(link: Link, id: number, write: () => Promise<Revision>): void {
    write().then(
      (revision) => send(link, { type: 'reply', id, revision }),
      (error: unknown) => send(link, { type: 'reply-error', id, ...partsOf(error) }),
    );
  }

  #mark({ node }: NodeView): void {
    if (this.#links.get(node)?.isWelcome !== true) return;
    this.#dirty.add(node);
    // Views of revisions that commit in one turn are sent once, as the latest: consumers apply states, not edits.
    this.#flush ??= setImmediate(() => {
      this.#flush = undefined;
      const nodes = [...this.#dirty];
      this.#dirty.clear();
      for (const one of nodes) this.#sendView(one);
    });
  }

  #sendView(node: string): void {
    const view = this.#options.changes.view(node);
    const link = this.#links.get(node);
    if (view !== undefined && link?.isWelcome === true) send(link, { type: 'view', view });
  }

  #drop(link: Link, reason: string): void {
    if (this.#links.get(link.node) !== link) return;
    this.#links.delete(link.node);
    this.#dirty.delete(link.node);
    this.#options.changes.unlinked(link.node);
    if (link.isWelcome || link.isExpected) this.#options.onUnlinked?.(link.node, reason, link.channel.silentForMs ?? 0);
  }
}

/** @throws any other error */
function zeroWhereNothingIsWritten(error: unknown): Revision {
  if (isWriteless(error)) return 0;
  throw error;
}

/** Consul's scale of comparisons: twice as long when there are more than 128 nodes, and once more for each doubling. */
export function syncFactorOf(nodes: number): number {
  return nodes <= 128 ? 1 : Math.ceil(Math.log2(nodes) - 7) + 1;
}
