import type { Changes } from '../change/index.ts';
import { DroverError, messageOf } from '../lib/index.ts';
import type { NodeRegistration, NodeView, Transition } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { RegionChannel } from './channel-pair.ts';
import { linkAway, linkBadGreeting, linkOldEpoch, linkProtocol } from './errors.ts';
import { PROTOCOL_VERSION } from './messages.ts';
import type { NodeMessage, Order, RegionMessage } from './messages.ts';

/** What writes a node's word into the registry; the epoch says which start of its agent speaks. */
export interface NodeAuthority {
  /** Makes the registry hold exactly this registration. */
  syncNode(registration: NodeRegistration, epoch: number): Promise<Revision>;
  report(node: string, transitions: readonly Transition[], epoch: number): Promise<Revision>;
}

export interface RegionLinksOptions {
  /** This server's name, told in the welcome. */
  readonly server: string;
  readonly authority: NodeAuthority;
  readonly changes: Pick<Changes, 'view' | 'adoptChoices' | 'onView' | 'receipt' | 'revision'>;
  /** Told when a node has greeted and been taken up. */
  readonly onLinked?: (node: string) => void;
  /** Told when a node's link is gone and no other has taken its place: for liveness. */
  readonly onUnlinked?: (node: string, reason: string) => void;
}

interface Link {
  readonly node: string;
  readonly epoch: number;
  readonly channel: RegionChannel;
  isWelcome: boolean;
}

type Hello = Extract<NodeMessage, { type: 'hello' }>;

/** The region's side of all links: takes up what nodes say, sends each the views that concern it. */
export class RegionLinks implements AsyncDisposable {
  readonly #options: RegionLinksOptions;
  readonly #links = new Map<string, Link>();
  /** The epoch that was last taken up, by node. */
  readonly #epochs = new Map<string, number>();
  /** Nodes whose view became another one since the last flush. */
  readonly #dirty = new Set<string>();
  readonly #stop: () => void;
  #flush: NodeJS.Immediate | undefined;

  static start(options: RegionLinksOptions): Promise<RegionLinks> {
    return Promise.resolve(new RegionLinks(options));
  }

  private constructor(options: RegionLinksOptions) {
    this.#options = options;
    this.#stop = options.changes.onView((view) => this.#mark(view));
  }

  /** Nodes that are linked to this server, in order of name. */
  nodes(): readonly string[] {
    return [...this.#links.values()]
      .filter((link) => link.isWelcome)
      .map((link) => link.node)
      .toSorted();
  }

  /** Takes a channel over; the first message must be the greeting. */
  accept(channel: RegionChannel): void {
    let link: Link | undefined;
    channel.onMessage((message) => {
      if (link !== undefined) return this.#receive(link, message);
      link = this.#greet(channel, message);
    });
    channel.onClose((reason) => {
      if (link !== undefined) this.#drop(link, reason);
    });
  }

  /** Sends an order to a node. `fence` is the revision under which it was decided. @throws LINK_AWAY */
  order(node: string, order: Order, fence: Revision = this.#options.changes.revision): void {
    const link = this.#links.get(node);
    if (link?.isWelcome !== true) throw linkAway(node);
    link.channel.send({ type: 'order', fence, order });
  }

  /** Ends every link, so that each node greets anew with all that it is. Nobody is thought lost on that account. */
  greetAgain(reason: string): void {
    const links = [...this.#links.values()];
    this.#links.clear();
    this.#dirty.clear();
    for (const link of links) link.channel.close(reason);
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#stop();
    clearImmediate(this.#flush);
    const links = [...this.#links.values()];
    this.#links.clear();
    for (const link of links) link.channel.close('the server stops');
    return Promise.resolve();
  }

  #greet(channel: RegionChannel, message: NodeMessage): Link | undefined {
    const refusal = this.#refusal(message);
    if (refusal !== null) {
      refuse(channel, refusal);
      return undefined;
    }
    const hello = message as Hello;
    const link = { node: hello.node, epoch: hello.epoch, channel, isWelcome: false };
    const replaced = this.#links.get(hello.node);
    this.#links.set(hello.node, link);
    replaced?.channel.close('the node has connected again');
    void this.#welcome(link, hello);
    return link;
  }

  #refusal(message: NodeMessage): DroverError | null {
    if (message.type !== 'hello') return linkBadGreeting(`it is "${String(message.type)}"`);
    if (message.protocol !== PROTOCOL_VERSION) return linkProtocol(message.protocol, PROTOCOL_VERSION);
    if (message.registration.node.name !== message.node) return linkBadGreeting('it registers another node');
    const known = this.#links.get(message.node)?.epoch ?? this.#epochs.get(message.node) ?? 0;
    return message.epoch < known ? linkOldEpoch(message.node, message.epoch, known) : null;
  }

  async #welcome(link: Link, { registration, choices }: Hello): Promise<void> {
    const { authority, changes, server } = this.#options;
    try {
      changes.adoptChoices(link.node, choices);
      const revision = await authority.syncNode(registration, link.epoch);
      if (this.#links.get(link.node) !== link) return;
      send(link, { type: 'welcome', protocol: PROTOCOL_VERSION, server, revision });
      link.isWelcome = true;
      this.#epochs.set(link.node, link.epoch);
      this.#options.onLinked?.(link.node);
      this.#sendView(link.node);
    } catch (error) {
      if (this.#links.get(link.node) !== link) return;
      this.#links.delete(link.node);
      refuse(link.channel, error);
    }
  }

  #receive(link: Link, message: NodeMessage): void {
    if (this.#links.get(link.node) !== link) return;
    const { authority, changes } = this.#options;
    switch (message.type) {
      case 'report':
        return this.#reply(link, message.id, () => authority.report(link.node, message.transitions, link.epoch));
      case 'sync':
        return this.#reply(link, message.id, () => authority.syncNode(message.registration, link.epoch));
      case 'receipt':
        // A node speaks for its own consumers only.
        return changes.receipt({ ...message.receipt, node: link.node });
      case 'ping':
        return send(link, { type: 'pong' });
      case 'hello':
        return link.channel.close('the node greeted twice');
    }
  }

  #reply(link: Link, id: number, write: () => Promise<Revision>): void {
    write().then(
      (revision) => send(link, { type: 'reply', id, revision }),
      (error: unknown) => send(link, replyError(id, error)),
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
    if (link.isWelcome) this.#options.onUnlinked?.(link.node, reason);
  }
}

function send(link: Link, message: RegionMessage): void {
  link.channel.send(message);
}

function refuse(channel: RegionChannel, error: unknown): void {
  const code = error instanceof DroverError ? error.code : 'LINK_FAILED';
  channel.send({ type: 'refused', code, message: messageOf(error) });
  channel.close(`refused: ${messageOf(error)}`);
}

function replyError(id: number, error: unknown): RegionMessage {
  if (!(error instanceof DroverError))
    return { type: 'reply-error', id, code: 'LINK_FAILED', status: 500, message: messageOf(error) };
  const { code, status, message, hint } = error;
  return { type: 'reply-error', id, code, status, message, ...(hint === undefined ? {} : { hint }) };
}
