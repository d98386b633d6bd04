import type { Changes, ConsumerId, ConsumerKind } from '../change/index.ts';
import type { Clock, Timing } from '../lib/index.ts';
import type { Renewal } from '../kv/index.ts';
import type { ServerRecord } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import { PeerHearer, type HearerChannel } from './peer-hearer.ts';
import { PeerSpeaker, type PeerSelf, type PeerSpeakerOptions } from './peer-speaker.ts';

/** Which servers run, this one among them or not. */
export interface ServerDirectory {
  list(): readonly ServerRecord[];
  onChange(listen: () => void): () => void;
}

export interface PeerLinksOptions {
  readonly self: PeerSelf;
  readonly servers: ServerDirectory;
  readonly open: PeerSpeakerOptions['open'];
  readonly changes: Changes;
  /** Called when this server has applied a revision. */
  readonly onApplied: (listen: () => void) => () => void;
  readonly timing: Pick<Timing, 'heartbeatMs' | 'suspectedAfterMs' | 'reconnectJitterMs'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly warn: (text: string) => void;
}

/** How another server stands to this one. */
export interface PeerStatus {
  readonly server: string;
  /** Whether it is told what is known here, and if not, why not. */
  readonly told: boolean;
  readonly failure: string | null;
  /** Whether it tells what is known there. */
  readonly heard: boolean;
  /** The last revision that it said it has applied; null before it said one. */
  readonly revision: Revision | null;
  /** How many revisions it is behind this server. */
  readonly behind: number | null;
}

/** What takes changes up on a server of which nothing is known yet: it is waited for until it says otherwise. */
const UNHEARD: readonly ConsumerKind[] = ['dns'];

/** What is waited for on servers from which nothing has been heard. Pure. */
export function unheardConsumers(servers: readonly ServerRecord[]): readonly ConsumerId[] {
  return servers.flatMap(({ name: node }) => UNHEARD.map((kind) => ({ node, kind })));
}

/**
 * The links between the servers of a region, one each way: each tells the others which revision it has applied, what consumers said
 * to it, and which sessions were renewed through it (semantics 6).
 */
export class PeerLinks implements AsyncDisposable {
  readonly #options: PeerLinksOptions;
  readonly #hearer: PeerHearer;
  readonly #speakers = new Map<string, PeerSpeaker>();
  readonly #ending = new Set<Promise<void>>();
  readonly #stops: readonly (() => void)[];
  readonly #listeners = new Set<() => void>();
  #onRenewals: (renewals: readonly Renewal[]) => void = () => undefined;
  #renewals: () => Iterable<Renewal> = () => [];
  #onLost: () => void = () => undefined;
  /** Starts of other servers that ran when it was looked last. */
  #ran = new Set<string>();

  static start(options: PeerLinksOptions): Promise<PeerLinks> {
    const links = new PeerLinks(options);
    links.#follow();
    return Promise.resolve(links);
  }

  private constructor(options: PeerLinksOptions) {
    this.#options = options;
    const { changes, servers, clock, timing, warn, onApplied } = options;
    this.#hearer = new PeerHearer({
      self: options.self,
      find: (name) => this.#others().find((one) => one.name === name),
      changes,
      onRenewals: (renewals) => this.#onRenewals(renewals),
      onChange: () => this.#changed(),
      timing,
      clock,
      warn,
    });
    this.#stops = [
      servers.onChange(() => this.#follow()),
      changes.onHeard((consumer, took) => this.#each((one) => one.heard(consumer, took))),
      onApplied(() => this.#each((one) => one.applied())),
    ];
  }

  /** Takes over a channel that another server made. */
  accept(channel: HearerChannel): void {
    this.#hearer.accept(channel);
  }

  /** The other servers that run, in order of name. */
  status(): readonly PeerStatus[] {
    const { revision: own } = this.#options.changes;
    return this.#others().map(({ name }) => {
      const heard = this.#hearer.get(name);
      const failure = this.#speakers.get(name)?.failure ?? null;
      const revision = heard === undefined || heard.revision === 0 ? null : heard.revision;
      const behind = revision === null ? null : Math.max(0, own - revision);
      return { server: name, told: failure === null, failure, heard: heard !== undefined, revision, behind };
    });
  }

  /** Whether every other server that runs is heard, and has told what it knew from before. */
  hearsAll(): boolean {
    return this.#others().every(({ name, incarnation }) => {
      const heard = this.#hearer.get(name);
      return heard?.isTold === true && heard.incarnation === incarnation;
    });
  }

  /** Called when another server runs or is heard, or no more. Returns how to end that. */
  onChange(listen: () => void): () => void {
    const listener = (): void => listen();
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /**
   * Who hears of sessions that were renewed elsewhere, and who knows those that were renewed here of late. `lost` is called when
   * another server runs no more, before `hearsAll` is true without it: what it had still to tell is not told.
   */
  followRenewals(hear: (renewals: readonly Renewal[]) => void, known: () => Iterable<Renewal>, lost: () => void): void {
    this.#onRenewals = hear;
    this.#renewals = known;
    this.#onLost = lost;
  }

  /** A session was renewed here. */
  renewed(session: string): void {
    this.#each((one) => one.renewed(session));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
    this.#hearer[Symbol.dispose]();
    for (const name of this.#speakers.keys()) this.#end(name);
    await Promise.all(this.#ending);
  }

  #others(): readonly ServerRecord[] {
    return this.#options.servers.list().filter(({ name }) => name !== this.#options.self.server);
  }

  #each(act: (speaker: PeerSpeaker) => void): void {
    for (const speaker of this.#speakers.values()) act(speaker);
  }

  /** Links to the servers that run, and to nobody else. */
  #follow(): void {
    const others = new Map(this.#others().map((one) => [one.name, one]));
    for (const [name, { peer }] of this.#speakers) if (!isSame(peer, others.get(name))) this.#end(name);
    for (const [name, peer] of others)
      // A server without HTTP takes no links.
      if (peer.httpPort > 0 && !this.#speakers.has(name)) this.#speakers.set(name, this.#speakTo(peer));
    this.#hearer.dropGone();
    this.#lookWhoIsLost();
    this.#changed();
  }

  #lookWhoIsLost(): void {
    const runs = new Set(this.#others().map(({ incarnation }) => incarnation));
    const isLost = [...this.#ran].some((incarnation) => !runs.has(incarnation));
    this.#ran = runs;
    if (isLost) this.#onLost();
  }

  #speakTo(peer: ServerRecord): PeerSpeaker {
    return new PeerSpeaker({ ...this.#options, peer, renewals: () => this.#renewals() });
  }

  #end(name: string): void {
    const ending = this.#speakers.get(name)?.[Symbol.asyncDispose]();
    this.#speakers.delete(name);
    if (ending === undefined) return;
    this.#ending.add(ending);
    void ending.finally(() => this.#ending.delete(ending));
  }

  #changed(): void {
    this.#options.changes.followOthers(this.#others().flatMap((one) => this.#consumersOf(one)));
    for (const listen of this.#listeners) listen();
  }

  #consumersOf({ name, incarnation }: ServerRecord): readonly ConsumerId[] {
    const heard = this.#hearer.get(name);
    const kinds = heard?.incarnation === incarnation ? heard.consumers : UNHEARD;
    return kinds.map((kind) => ({ node: name, kind }));
  }
}

function isSame(one: ServerRecord, other: ServerRecord | undefined): boolean {
  if (other === undefined) return false;
  return one.incarnation === other.incarnation && one.address === other.address && one.httpPort === other.httpPort;
}
