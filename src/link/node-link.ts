import type { Receipt } from '../change/index.ts';
import type { Clock } from '../lib/index.ts';
import type { DirectChoice, NodeRegistration, NodeView, Transition } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { NodeChannel } from './channel-pair.ts';
import { linkClosed, linkProtocol } from './errors.ts';
import { LinkRefusal } from './link-refusal.ts';
import { GREETING_ID, PROTOCOL_VERSION } from './messages.ts';
import type { KnownServer, Order, RegionMessage } from './messages.ts';
import { errorOf, QuestionDesk, QuestionHandlers, type AskOptions } from './question-desk.ts';
import type { Answer, Ask, NodeQuestions, QuestionKind, RegionQuestions } from './questions.ts';
import { RecordDigests } from './registration-digest.ts';
import { givenOf } from './registration-match.ts';

export interface NodeLinkOptions {
  readonly channel: NodeChannel;
  readonly node: string;
  /** Higher than that of every earlier start of this node's agent. */
  readonly epoch: number;
  /** Which agent it is, whatever its start; empty unless told. */
  readonly agent?: string;
  readonly registration: NodeRegistration;
  /** The direct choices of the last view, from the node's disk. */
  readonly choices: Readonly<Record<string, DirectChoice>>;
  /** What this node answers when the region asks; none unless told. */
  readonly questions?: QuestionHandlers<NodeQuestions>;
  readonly clock?: Clock;
  /** Ends the greeting, and the link with it. */
  readonly signal?: AbortSignal;
}

interface Request {
  /** What is compared with what the region holds; null where nothing is. */
  readonly registration: NodeRegistration | null;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: Error) => void;
}

/** A node's side of the link: the only way in which anything on a node reaches the region (design 2). */
export class NodeLink implements AsyncDisposable {
  readonly node: string;
  /** Resolves with the reason when the link is closed, by whichever side. */
  readonly closed: Promise<string>;
  readonly #channel: NodeChannel;
  readonly #requests = new Map<number, Request>();
  readonly #greeting = Promise.withResolvers<void>();
  /** As it was at the greeting, until the region has taken it up. */
  #greeted: NodeRegistration | null;
  readonly #digests = new RecordDigests();
  readonly #questions: QuestionDesk<RegionQuestions, NodeQuestions>;
  #nextId = 1;
  #server = '';
  #revision: Revision = 0;
  #syncFactor = 1;
  #highestFence: Revision = 0;
  #isOpen = true;
  #latestView: NodeView | undefined;
  #onView: ((view: NodeView) => void) | undefined;
  readonly #earlyOrders: Order[] = [];
  #onOrder: ((order: Order) => void) | undefined;
  #servers: readonly KnownServer[] | undefined;
  #onServers: ((servers: readonly KnownServer[]) => void) | undefined;

  /**
   * Greets and resolves when the region has taken up the whole registration.
   *
   * @throws LINK_REFUSED with the region's code and reason, LINK_CLOSED when the channel ends first, or the signal's reason
   */
  static async connect(options: NodeLinkOptions): Promise<NodeLink> {
    options.signal?.throwIfAborted();
    const link = new NodeLink(options);
    const onAbort = (): void => link.close('aborted');
    options.signal?.addEventListener('abort', onAbort, { once: true });
    void link.closed.then(() => options.signal?.removeEventListener('abort', onAbort));
    link.#greet(options);
    await link.#greeting.promise.catch((error: unknown) => {
      options.signal?.throwIfAborted();
      throw error;
    });
    return link;
  }

  private constructor({ channel, node, registration, clock, questions = new QuestionHandlers() }: NodeLinkOptions) {
    this.node = node;
    this.#channel = channel;
    this.#greeted = registration;
    this.#questions = new QuestionDesk({
      peer: () => this.#server,
      send: (message) => channel.send(message),
      handlers: questions,
      ...(clock === undefined ? {} : { clock }),
    });
    const closed = Promise.withResolvers<string>();
    this.closed = closed.promise;
    channel.onClose((reason) => {
      this.#end(reason);
      closed.resolve(reason);
    });
    channel.onMessage((message) => this.#receive(message));
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The name of the server at the other end. */
  get server(): string {
    return this.#server;
  }

  /** How many times as long as usual to wait between two comparisons. */
  get syncFactor(): number {
    return this.#syncFactor;
  }

  /** The revision of the registration that the greeting carried. */
  get revision(): Revision {
    return this.#revision;
  }

  /** Tells what became different on the node; resolves with the revision of the last of it. @throws LINK_CLOSED, REGISTRY_… */
  report(transitions: readonly Transition[]): Promise<Revision> {
    return this.#request(null, (id) => this.#channel.send({ type: 'report', id, transitions }));
  }

  /** Compares the whole registration with what the region holds and mends the difference. @throws LINK_CLOSED, REGISTRY_… */
  sync(registration: NodeRegistration): Promise<Revision> {
    const digest = this.#digests.total(registration);
    return this.#request(registration, (id) => this.#channel.send({ type: 'sync', id, digest }));
  }

  /** Hands on a consumer's receipt; one that is lost with the link is made good by the next view's. */
  receipt(receipt: Omit<Receipt, 'node'>): void {
    this.#channel.send({ type: 'receipt', receipt: { ...receipt, node: this.node } });
  }

  /** Asks the server at the other end. @throws its error, LINK_CLOSED, LINK_NO_ANSWER, LINK_UNKNOWN_QUESTION, the signal's reason */
  ask<Kind extends QuestionKind<RegionQuestions>>(
    kind: Kind,
    ask: Ask<RegionQuestions, Kind>,
    options: AskOptions = {},
  ): Promise<Answer<RegionQuestions, Kind>> {
    return this.#questions.ask(kind, ask, options);
  }

  /** Set once. Called with the region's servers as they were told last, then whenever they are told again. */
  onServers(handle: (servers: readonly KnownServer[]) => void): void {
    this.#onServers = handle;
    if (this.#servers !== undefined) handle(this.#servers);
  }

  /** Set once. Called with the latest view that came before, then with each that comes. */
  onView(handle: (view: NodeView) => void): void {
    this.#onView = handle;
    if (this.#latestView !== undefined) handle(this.#latestView);
  }

  /** Set once. Called with each order; one with a lower fence than an earlier one is dropped (design 5). */
  onOrder(handle: (order: Order) => void): void {
    this.#onOrder = handle;
    for (const order of this.#earlyOrders.splice(0)) handle(order);
  }

  /** Ends the link; requests still open are rejected. */
  close(reason = 'closed by the node'): void {
    this.#channel.close(reason);
    this.#end(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }

  #greet({ node, epoch, agent = '', registration, choices }: NodeLinkOptions): void {
    const digests = this.#digests.ofAll(registration);
    const record = registration.node;
    const protocol = PROTOCOL_VERSION;
    this.#channel.send({ type: 'hello', protocol, node, epoch, agent, record, digests, choices });
  }

  #request(registration: NodeRegistration | null, send: (id: number) => void): Promise<Revision> {
    if (!this.#isOpen) return Promise.reject(linkClosed('it is gone'));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      send(id);
      this.#requests.set(id, { registration, resolve, reject });
    });
  }

  #receive(message: RegionMessage): void {
    switch (message.type) {
      case 'welcome':
        return this.#welcome(message);
      case 'refused':
        this.#greeting.reject(new LinkRefusal(this.node, message));
        return this.close(message.message);
      case 'want':
        return this.#give(message);
      case 'differs':
        return this.#detail(message.id);
      case 'view':
        this.#latestView = message.view;
        return this.#onView?.(message.view);
      case 'order':
        return this.#obey(message.fence, message.order);
      case 'reply':
        return this.#take(message.id)?.resolve(message.revision);
      case 'reply-error':
        return this.#take(message.id)?.reject(errorOf(message));
      case 'servers':
        this.#servers = message.servers;
        return this.#onServers?.(message.servers);
      case 'ask':
      case 'answer':
      case 'answer-error':
        return this.#questions.receive(message);
      case 'pong':
        return undefined;
    }
  }

  #welcome({ protocol, server, revision, syncFactor }: Extract<RegionMessage, { type: 'welcome' }>): void {
    if (protocol !== PROTOCOL_VERSION) {
      this.#greeting.reject(linkProtocol(PROTOCOL_VERSION, protocol));
      return this.close(`the server speaks link protocol ${protocol}, this node speaks ${PROTOCOL_VERSION}`);
    }
    this.#server = server;
    this.#revision = revision;
    this.#syncFactor = syncFactor;
    this.#greeted = null;
    this.#greeting.resolve();
  }

  /** Sends what the region wants of what is compared. */
  #give({ id, instances, checks }: Extract<RegionMessage, { type: 'want' }>): void {
    const registration = id === GREETING_ID ? this.#greeted : this.#requests.get(id)?.registration;
    if (registration === null || registration === undefined) return;
    this.#channel.send({ type: 'give', id, ...givenOf(registration, { instances, checks }) });
  }

  #detail(id: number): void {
    const registration = this.#requests.get(id)?.registration;
    if (registration === null || registration === undefined) return;
    const digests = this.#digests.ofAll(registration);
    this.#channel.send({ type: 'details', id, record: registration.node, digests });
  }

  #obey(fence: Revision, order: Order): void {
    if (fence < this.#highestFence) return;
    this.#highestFence = fence;
    if (this.#onOrder === undefined) this.#earlyOrders.push(order);
    else this.#onOrder(order);
  }

  #take(id: number): Request | undefined {
    const request = this.#requests.get(id);
    this.#requests.delete(id);
    return request;
  }

  #end(reason: string): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#questions.end(linkClosed(reason));
    this.#greeting.reject(linkClosed(reason));
    this.#greeting.promise.catch(() => {});
    for (const { reject } of this.#requests.values()) reject(linkClosed(reason));
    this.#requests.clear();
  }
}
