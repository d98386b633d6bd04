import type { Changes, ConsumerKind } from '../change/index.ts';
import { DroverError, messageOf, type Clock, type Timing } from '../lib/index.ts';
import type { Renewal } from '../kv/index.ts';
import type { ServerRecord } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import type { Channel } from './channel.ts';
import { linkProtocol, peerUnknown, peerUnproven } from './errors.ts';
import { isProven, newNonce } from './peer-key.ts';
import { PEER_PROTOCOL } from './peer-messages.ts';
import type { PeerMessage, PeerReply } from './peer-messages.ts';
import type { PeerSelf } from './peer-speaker.ts';

/** The end of the server that another made a link to. */
export type HearerChannel = Channel<PeerMessage, PeerReply>;

export interface PeerHearerOptions {
  readonly self: PeerSelf;
  /** A server that runs, by name. */
  readonly find: (server: string) => ServerRecord | undefined;
  readonly changes: Pick<Changes, 'hear' | 'oldest'>;
  readonly onRenewals: (renewals: readonly Renewal[]) => void;
  /** Which servers are heard became different, or what is known of one. */
  readonly onChange: () => void;
  readonly timing: Pick<Timing, 'suspectedAfterMs'>;
  readonly clock: Clock;
  readonly warn: (text: string) => void;
}

/** Another server as it is heard. */
export interface HeardServer {
  readonly server: string;
  readonly incarnation: string;
  readonly consumers: readonly ConsumerKind[];
  /** The last revision that it said it has applied. */
  revision: Revision;
  /** What it knew from before this link was told. */
  isTold: boolean;
}

interface Heard extends HeardServer {
  readonly channel: HearerChannel;
}

type Greeting = Extract<PeerMessage, { type: 'greeting' }>;

/** Hears what other servers tell, each over the link that it made to this one, once it has proven to be that server. */
export class PeerHearer implements Disposable {
  readonly #options: PeerHearerOptions;
  readonly #heard = new Map<string, Heard>();

  constructor(options: PeerHearerOptions) {
    this.#options = options;
  }

  /** Servers that are linked to this one. */
  servers(): readonly HeardServer[] {
    return [...this.#heard.values()];
  }

  get(server: string): HeardServer | undefined {
    return this.#heard.get(server);
  }

  /** Takes a channel over; challenges whoever is at its other end. */
  accept(channel: HearerChannel): void {
    const { self, clock, timing } = this.#options;
    const nonce = newNonce();
    let heard: Heard | undefined;
    const late = clock.after(timing.suspectedAfterMs, () => channel.close('no greeting came'));
    channel.onMessage((message) => {
      if (heard !== undefined) return this.#receive(heard, message);
      late.cancel();
      heard = this.#greet(channel, message, nonce);
    });
    channel.onClose(() => {
      late.cancel();
      if (heard !== undefined) this.#drop(heard);
    });
    const { server, incarnation } = self;
    channel.send({ type: 'challenge', protocol: PEER_PROTOCOL, server, incarnation, nonce });
  }

  /** Ends the links of servers that run no more. */
  dropGone(): void {
    for (const heard of this.#heard.values())
      if (this.#options.find(heard.server)?.incarnation !== heard.incarnation) {
        heard.channel.close('this server is not among those that run');
        this.#drop(heard);
      }
  }

  [Symbol.dispose](): void {
    for (const { channel } of this.#heard.values()) channel.close('the server stops');
    this.#heard.clear();
  }

  #greet(channel: HearerChannel, message: PeerMessage, nonce: string): Heard | undefined {
    try {
      const greeting = this.#checked(message, nonce);
      const { server, incarnation, consumers } = greeting;
      const heard = { server, incarnation, consumers, revision: 0, isTold: false, channel };
      const replaced = this.#heard.get(server);
      this.#heard.set(server, heard);
      replaced?.channel.close('the server has connected again');
      channel.send({ type: 'welcome', since: this.#options.changes.oldest });
      this.#options.onChange();
      return heard;
    } catch (error) {
      const code = error instanceof DroverError ? error.code : 'LINK_FAILED';
      this.#options.warn(`the link of a server was refused: ${messageOf(error)}`);
      channel.send({ type: 'refused', code, message: messageOf(error) });
      channel.close(`refused: ${messageOf(error)}`);
      return undefined;
    }
  }

  #checked(message: PeerMessage, nonce: string): Greeting {
    const { self, find } = this.#options;
    if (message.type !== 'greeting') throw peerUnproven('somebody', `its first message is "${message.type}"`);
    const { protocol, server, incarnation, proof } = message;
    if (protocol !== PEER_PROTOCOL) throw linkProtocol(protocol, PEER_PROTOCOL);
    const record = find(server);
    if (record === undefined || record.incarnation !== incarnation) throw peerUnknown(server);
    const claim = { nonce, server, incarnation, to: self.server, toIncarnation: self.incarnation };
    if (record.linkKey === undefined || !isProven(record.linkKey, claim, proof))
      throw peerUnproven(server, 'its proof is not made with the key of its record');
    return message;
  }

  #receive(heard: Heard, message: PeerMessage): void {
    if (this.#heard.get(heard.server) !== heard) return;
    switch (message.type) {
      case 'standings':
        return this.#options.changes.hear(heard.server, message.standings);
      case 'renewals':
        return this.#options.onRenewals(message.renewals);
      case 'applied':
        heard.revision = message.revision;
        return undefined;
      case 'told':
        heard.isTold = true;
        return this.#options.onChange();
      case 'greeting':
        return heard.channel.close('the server greeted twice');
      case 'other':
        return undefined;
    }
  }

  #drop(heard: Heard): void {
    if (this.#heard.get(heard.server) !== heard) return;
    this.#heard.delete(heard.server);
    this.#options.onChange();
  }
}
