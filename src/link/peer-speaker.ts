import type { Changes, ConsumerId, ConsumerKind, Standing, Took } from '../change/index.ts';
import { Backoff, messageOf, type Clock, type Timing } from '../lib/index.ts';
import type { Renewal } from '../kv/index.ts';
import type { ServerRecord } from '../registry/index.ts';
import type { Channel } from './channel.ts';
import { linkClosed, linkProtocol, peerOther, peerRefused } from './errors.ts';
import type { PeerKey } from './peer-key.ts';
import { PEER_PROTOCOL, RENEWALS_PER_MESSAGE, STANDINGS_PER_MESSAGE } from './peer-messages.ts';
import type { PeerMessage, PeerReply } from './peer-messages.ts';
import { PeerOutbox, type Outgoing } from './peer-outbox.ts';

/** The end of the server that made a link to another. */
export type SpeakerChannel = Channel<PeerReply, PeerMessage>;

/** A server as its links present it. */
export interface PeerSelf {
  readonly server: string;
  readonly incarnation: string;
  readonly key: PeerKey;
  /** Which parts of the server itself take changes up, those too that have yet to start. */
  readonly consumers: readonly ConsumerKind[];
}

export interface PeerSpeakerOptions {
  readonly self: PeerSelf;
  readonly peer: ServerRecord;
  /** A new channel to the peer. */
  readonly open: (peer: ServerRecord, signal: AbortSignal) => Promise<SpeakerChannel>;
  readonly changes: Pick<Changes, 'revision' | 'standing' | 'standings'>;
  /** Sessions that were renewed here of late. */
  readonly renewals: () => Iterable<Renewal>;
  readonly timing: Pick<Timing, 'heartbeatMs' | 'suspectedAfterMs' | 'reconnectJitterMs'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly warn: (text: string) => void;
}

/** Tells another server what is known here, over a link of its own that is made again whenever it is lost. */
export class PeerSpeaker implements AsyncDisposable {
  readonly peer: ServerRecord;
  readonly #options: PeerSpeakerOptions;
  readonly #outbox: PeerOutbox;
  readonly #closing = new AbortController();
  readonly #running: Promise<void>;
  #channel: SpeakerChannel | null = null;
  #told = 0;
  #failure: string | null = 'not linked yet';

  constructor(options: PeerSpeakerOptions) {
    this.#options = options;
    this.peer = options.peer;
    this.#outbox = new PeerOutbox({ clock: options.clock, flush: (outgoing) => this.#flush(outgoing) });
    this.#running = this.#run();
  }

  /** Why nothing can be told now; null when it can. */
  get failure(): string | null {
    return this.#failure;
  }

  heard(consumer: ConsumerId, took: readonly Took[]): void {
    if (this.#channel !== null) this.#outbox.heard(consumer, took);
  }

  renewed(session: string): void {
    if (this.#channel !== null) this.#outbox.renewed(session);
  }

  /** This server has applied another revision. */
  applied(): void {
    if (this.#channel !== null) this.#outbox.wake();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#outbox[Symbol.dispose]();
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { clock, random, timing, warn, open } = this.#options;
    const { signal } = this.#closing;
    const backoff = new Backoff({
      firstMs: timing.heartbeatMs,
      mostMs: Math.max(timing.heartbeatMs, timing.reconnectJitterMs),
    });
    let said = '';
    while (!signal.aborted) {
      const failure = await open(this.peer, signal)
        .then((channel) => this.#speak(channel, () => backoff.reset()))
        .catch(messageOf);
      if (signal.aborted) return;
      this.#failure = failure;
      if (failure !== said) warn(`server ${this.peer.name} is not told anything: ${failure}`);
      said = failure;
      await clock.sleep(backoff.next() * (0.5 + random()), signal).catch(() => undefined);
    }
  }

  /** Resolves with the reason when the link has ended. */
  #speak(channel: SpeakerChannel, onWelcome: () => void): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    const late = this.#options.clock.after(this.#options.timing.suspectedAfterMs, () =>
      channel.close('the other server does not answer the greeting'),
    );
    const { signal } = this.#closing;
    const onAbort = (): void => channel.close('the server stops');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    channel.onClose((reason) => {
      signal.removeEventListener('abort', onAbort);
      late.cancel();
      if (this.#channel === channel) this.#channel = null;
      this.#outbox[Symbol.dispose]();
      resolve(linkClosed(reason).message);
    });
    channel.onMessage((reply) => {
      try {
        if (reply.type === 'challenge') channel.send(this.#greeting(reply));
        else if (reply.type === 'refused') throw peerRefused(this.peer.name, reply.code, reply.message);
        else if (reply.type === 'welcome' && this.#channel === null) {
          late.cancel();
          onWelcome();
          this.#begin(channel, reply.since);
        }
      } catch (error) {
        resolve(messageOf(error));
        channel.close(messageOf(error));
      }
    });
    return promise;
  }

  #greeting({ protocol, server, incarnation, nonce }: Extract<PeerReply, { type: 'challenge' }>): PeerMessage {
    const { self } = this.#options;
    if (protocol !== PEER_PROTOCOL) throw linkProtocol(protocol, PEER_PROTOCOL);
    if (server !== this.peer.name || incarnation !== this.peer.incarnation) throw peerOther(this.peer.name, server);
    const proof = self.key.prove({
      nonce,
      server: self.server,
      incarnation: self.incarnation,
      to: server,
      toIncarnation: incarnation,
    });
    const { server: name, incarnation: start } = self;
    return {
      type: 'greeting',
      protocol: PEER_PROTOCOL,
      server: name,
      incarnation: start,
      proof,
      consumers: self.consumers,
    };
  }

  /** All that the other can make use of, and from then on what is new. */
  #begin(channel: SpeakerChannel, since: number): void {
    const { changes, renewals } = this.#options;
    this.#channel = channel;
    this.#failure = null;
    this.#told = 0;
    this.#sendStandings(channel, [...changes.standings(since)]);
    this.#sendRenewals(channel, [...renewals()]);
    this.#sendApplied(channel);
    channel.send({ type: 'told' });
  }

  #flush({ consumers, sessions }: Outgoing): void {
    const channel = this.#channel;
    if (channel === null) return;
    const { changes } = this.#options;
    this.#sendStandings(
      channel,
      consumers.flatMap(({ consumer, took }) => changes.standing(consumer, took) ?? []),
    );
    this.#sendRenewals(
      channel,
      sessions.map((id): Renewal => [id, 0]),
    );
    this.#sendApplied(channel);
  }

  #sendStandings(channel: SpeakerChannel, standings: readonly Standing[]): void {
    for (let at = 0; at < standings.length; at += STANDINGS_PER_MESSAGE)
      channel.send({ type: 'standings', standings: standings.slice(at, at + STANDINGS_PER_MESSAGE) });
  }

  #sendRenewals(channel: SpeakerChannel, renewals: readonly Renewal[]): void {
    for (let at = 0; at < renewals.length; at += RENEWALS_PER_MESSAGE)
      channel.send({ type: 'renewals', renewals: renewals.slice(at, at + RENEWALS_PER_MESSAGE) });
  }

  #sendApplied(channel: SpeakerChannel): void {
    const { revision } = this.#options.changes;
    if (revision === this.#told) return;
    this.#told = revision;
    channel.send({ type: 'applied', revision });
  }
}
