import type { Authority } from '../access/index.ts';
import { ALL_ALLOWED } from '../access/index.ts';
import type { Clock } from '../lib/index.ts';
import {
  MAX_MESSAGE_OCTETS,
  PLAIN_UDP_OCTETS,
  RCODE,
  TYPE,
  foldCase,
  formatName,
  scopedToSubnet,
  subnetAddress,
} from '../message/index.ts';
import type { AppliedChange, CatalogReader, Feed } from '../registry/index.ts';
import { AnswerCache, NameAnswers, Variants, isCachedType } from './answer-cache.ts';
import { assemble, ednsLimit, ednsOctets, refusal, withRecursion } from './assemble.ts';
import { CatalogView } from './catalog-view.ts';
import { Dealer } from './dealer.ts';
import type { Found } from './found.ts';
import { parseLookup, zonesOf } from './lookup.ts';
import type { Zone } from './lookup.ts';
import type { DnsOptions } from './options.ts';
import { forward, withOutside } from './outside.ts';
import type { PreparedQueries } from './prepared-queries.ts';
import { isInternet, labelsOf, readQuery } from './query.ts';
import type { Query } from './query.ts';
import type { Recursion } from './recursion.ts';
import { limitsFor, render } from './render.ts';
import type { Limits, Rendered } from './render.ts';
import { ZoneContent } from './zone-content.ts';

/** How a query came, and what the transport can carry back. */
export interface Via {
  readonly transport: 'udp' | 'tcp';
  /** Octets of the longest answer; 65,535 when left out. */
  readonly maxBytes?: number;
}

/** Who asks. To be read only until the question is answered or put off: transports use one object for all. */
export interface Peer {
  /** An IP address. */
  readonly address: string;
}

/** An answer's octets, at once or, where others must be asked, later; null to stay silent. Never rejects. */
export type Answer = Uint8Array | null | Promise<Uint8Array>;

export interface ResponderOptions {
  readonly catalog: CatalogReader;
  readonly feed: Pick<Feed, 'onApplied'>;
  readonly options: DnsOptions;
  readonly clock: Pick<Clock, 'wall'>;
  /** Numbers in [0, 1), for the order of answers. */
  readonly random?: () => number;
  /** Octets of prebuilt answers to keep, about; 64 MB when left out. */
  readonly cacheOctets?: number;
  /** What may be told, asked anew for each question: everything when left out, nothing when it throws. */
  readonly authority?: () => Authority;
  /** Who executes prepared queries; without it there are none. */
  readonly queries?: PreparedQueries;
  /** Who asks the recursors, when the options name some. */
  readonly recursion?: Recursion;
  /** Told of what should never happen; the asker gets SERVFAIL. */
  readonly onError?: (error: unknown) => void;
}

/** An answer, with what it is made of. */
export interface Shared {
  readonly answer: Answer;
  /** In orders that were drawn for it; none where nobody else may answer so. */
  readonly rendered: readonly Rendered[];
  /** `svc/<service>` and `node/<node>`, in lower case. */
  readonly dependsOn: readonly string[];
}

/** Orders of one answer that are handed on. */
const MOST_SHARED = 8;

const PLAIN_WAY = 0;
const TCP_WAY = 1;
/** EDNS that asks for no more than a plain resolver gets. */
const SMALL_EDNS_WAY = 2;
/** Advertised sizes are rounded down to one of these, so that clients cannot fill the cache with sizes. */
const SIZES = [
  512, 1_024, 1_220, 1_232, 1_400, 1_410, 1_452, 1_472, 2_048, 4_096, 8_192, 16_384, 32_768, 65_467,
] as const;
/** The most answers to a client without EDNS, whatever `udpAnswerLimit` says. */
const MOST_PLAIN_ANSWERS = 8;

/**
 * Question in, bytes out, whatever the transport. Answers stand prebuilt by name, type and size and are dropped in the same
 * event-loop turn in which the catalog changes: a query that comes after a change never sees what was before.
 */
export class Responder {
  readonly #catalog: CatalogReader;
  readonly #options: DnsOptions;
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #random: () => number;
  readonly #dealer: Dealer;
  readonly #view: CatalogView;
  readonly #content: ZoneContent;
  readonly #zones: readonly Zone[];
  readonly #cache: AnswerCache;
  readonly #stop: () => void;
  readonly #onError: (error: unknown) => void;
  readonly #authority: () => Authority;
  readonly #recursion: Recursion | null;
  #shownTo: string = ALL_ALLOWED.id;
  #revision: number;

  constructor({ catalog, feed, options, clock, random, cacheOctets, onError, ...more }: ResponderOptions) {
    this.#catalog = catalog;
    this.#options = options;
    this.#clock = clock;
    this.#random = random ?? Math.random;
    this.#dealer = new Dealer(this.#random);
    this.#zones = zonesOf(options);
    this.#view = new CatalogView(catalog, options);
    this.#content = new ZoneContent(this.#view, options, this.#zones, more.queries);
    this.#cache = new AnswerCache(cacheOctets ?? 64 << 20);
    this.#revision = catalog.revision;
    this.#authority = more.authority ?? (() => ALL_ALLOWED);
    this.#recursion = options.recursors.length === 0 ? null : (more.recursion ?? null);
    this.#onError = onError ?? (() => undefined);
    this.#stop = feed.onApplied((change) => this.#apply(change));
  }

  /** The revision that answers are made from: the receipt of DNS. */
  get revision(): number {
    return Math.max(this.#revision, this.#catalog.revision);
  }

  /** Ends listening to the feed. */
  close(): void {
    this.#stop();
  }

  #apply(change: AppliedChange): void {
    this.#revision = change.revision;
    this.#view.apply(change);
    for (const name of change.services) this.#cache.drop(`svc/${foldCase(name)}`);
    for (const name of change.nodes) this.#cache.drop(`node/${foldCase(name)}`);
  }

  /**
   * A catalog that was loaded anew, without telling what differs, has a revision that no change announced; and who may see
   * what can have changed since the last question.
   */
  #catchUp(): void {
    const authority = this.#askAuthority();
    if (authority.id !== this.#shownTo) {
      this.#shownTo = authority.id;
      this.#view.showTo(authority);
      this.#cache.clear();
    }
    if (this.#catalog.revision <= this.#revision) return;
    this.#revision = this.#catalog.revision;
    this.#view.reset();
    this.#cache.clear();
  }

  /** Where the token of DNS is unknown, nobody is told anything; whoever runs this hears of it once. */
  #askAuthority(): Authority {
    try {
      return this.#authority();
    } catch (error) {
      if (this.#shownTo !== NOTHING_ALLOWED.id) this.#onError(error);
      return NOTHING_ALLOWED;
    }
  }

  /**
   * The answer to a query, never longer than `maxBytes` or than the query allows; null when none must be sent. At once,
   * unless recursors must be asked. `message` may be written over as soon as this returns. Never throws.
   */
  answer(message: Uint8Array, via: Via, peer: Peer | null = null): Answer {
    const answer = this.#answerOnce(message, via, peer);
    if (this.#recursion === null || answer === null || answer instanceof Promise) return answer;
    return withRecursion(answer);
  }

  #answerOnce(message: Uint8Array, via: Via, peer: Peer | null): Answer {
    const bytes = Buffer.isBuffer(message)
      ? message
      : Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const query = readQuery(bytes);
    if (query === null) return null;
    if (typeof query === 'number') return refusal(bytes, null, query);
    const refused = whyRefused(query);
    if (refused !== RCODE.NOERROR) return refusal(bytes, query, refused, this.#isOurs(query));
    try {
      return this.#answer(bytes, query, via, peer);
    } catch (error) {
      this.#onError(error);
      return refusal(bytes, query, RCODE.SERVFAIL);
    }
  }

  /** Whether the question's name lies in a zone that is answered: then also errors are given with authority. */
  #isOurs({ name, class: questionClass }: Query): boolean {
    return isInternet(questionClass) && parseLookup(labelsOf(name), false, this.#zones, '').kind !== 'foreign';
  }

  #answer(bytes: Buffer, query: Query, via: Via, peer: Peer | null): Answer {
    this.#catchUp();
    const way = wayOf(query, via);
    const known = this.#cache.get(query.name);
    const variants = known?.get(query.type, way);
    if (variants !== undefined) return this.#assemble(bytes, query, variants.next());
    const labels = known?.labels ?? labelsOf(query.name);
    const result = this.#find(labels, query, peer);
    if (this.#recursion !== null && result.forward)
      return this.#forward(this.#recursion, Buffer.from(bytes), query, via);
    if (this.#recursion !== null && result.outside !== null)
      return this.#followed(this.#recursion, result, Buffer.from(bytes), query, via);
    if (result.rcode === RCODE.REFUSED) return refusal(bytes, query, RCODE.REFUSED);
    return this.#assemble(bytes, scoped(query, result), this.#build(result, labels, query, via));
  }

  /**
   * The answer to a query, and what it is made of where somebody else may answer with that: for as long as nothing of what it
   * `dependsOn` changes; where that is empty, in need only. Never throws.
   */
  share(message: Uint8Array, via: Via, peer: Peer | null = null): Shared {
    // Asked first: it takes up what may be seen by now.
    const answer = this.answer(message, via, peer);
    const bytes = Buffer.from(message);
    const query = readQuery(bytes);
    if (query === null || typeof query === 'number' || whyRefused(query) !== RCODE.NOERROR) return alone(answer);
    try {
      return { answer, ...this.#shared(query, via, peer) };
    } catch (error) {
      this.#onError(error);
      return alone(answer);
    }
  }

  #shared(query: Query, via: Via, peer: Peer | null): Omit<Shared, 'answer'> {
    const labels = labelsOf(query.name);
    const result = this.#find(labels, query, peer);
    const isElsewhere = result.forward || result.outside !== null || result.rcode === RCODE.REFUSED;
    if (isElsewhere || query.edns?.subnet) return { rendered: [], dependsOn: [] };
    const draw = this.#draw(result, labels, query, via);
    const first = draw();
    const isDealt = result.order === 'fixed' || first.movable !== null || result.items.length < 2;
    const others = isDealt ? [] : Array.from({ length: MOST_SHARED - 1 }, draw);
    const isLasting = result.isCacheable && !result.isForSource;
    return { rendered: [first, ...others], dependsOn: isLasting ? result.dependsOn : [] };
  }

  #assemble(bytes: Buffer, query: Query, rendered: Rendered): Buffer {
    const seconds = rendered.serials.length === 0 ? 0 : Math.floor(this.#clock.wall() / 1_000);
    return assemble(bytes, query, rendered, seconds, this.#dealer);
  }

  #find(labels: readonly string[], query: Query, peer: Peer | null): Found {
    const lookup = parseLookup(labels, query.type === TYPE.SRV, this.#zones, this.#options.datacenter);
    return this.#content.find(formatName(labels), lookup, query.type, {
      followed: 0,
      source: () => (query.edns?.subnet ? subnetAddress(query.edns.subnet) : (peer?.address ?? '')),
    });
  }

  /** An answer for which others are asked first. */
  async #later(bytes: Buffer, query: Query, answer: () => Promise<Uint8Array | null>): Promise<Uint8Array> {
    try {
      return withRecursion((await answer()) ?? refusal(bytes, query, RCODE.SERVFAIL));
    } catch (error) {
      this.#onError(error);
      return withRecursion(refusal(bytes, query, RCODE.SERVFAIL));
    }
  }

  #forward(recursion: Recursion, bytes: Buffer, query: Query, via: Via): Promise<Uint8Array> {
    const mostOctets = mostOctetsFor(query, via);
    return this.#later(bytes, query, () =>
      forward(recursion, bytes, query, { overTcp: via.transport === 'tcp', mostOctets }),
    );
  }

  /** A host name outside the zone, with the addresses that recursors know of it; alone when they know none. */
  #followed(recursion: Recursion, result: Found, bytes: Buffer, query: Query, via: Via): Promise<Uint8Array> {
    return this.#later(bytes, query, async () => {
      const whole = await withOutside(recursion, result, query);
      return this.#assemble(bytes, scoped(query, result), this.#draw(whole, labelsOf(query.name), query, via)());
    });
  }

  #build(result: Found, labels: readonly string[], query: Query, via: Via): Rendered {
    const draw = this.#draw(result, labels, query, via);
    const first = draw();
    if (!result.isCacheable || !isCachedType(query.type)) return first;
    const isDealt = result.order === 'fixed' || first.movable !== null;
    const variants = new Variants(draw, first, isDealt ? 1 : result.items.length);
    const answers = this.#cache.get(query.name) ?? new NameAnswers(labels);
    answers.set(query.type, wayOf(query, via), variants);
    this.#cache.put(query.name, answers, result.dependsOn, variants.octets);
    return first;
  }

  #draw(result: Found, labels: readonly string[], query: Query, via: Via): () => Rendered {
    const limits = this.#limits(query, via, wayOf(query, via));
    const options = {
      compress: !this.#options.disableCompression,
      tellTruncated: this.#options.enableTruncate,
      random: this.#random,
    };
    return () => render(result, labels, query.type, limits, options);
  }

  #limits(query: Query, { maxBytes = MAX_MESSAGE_OCTETS }: Via, way: number): Limits {
    const { type, edns } = query;
    const plainAnswers = Math.min(MOST_PLAIN_ANSWERS, this.#options.udpAnswerLimit);
    if (way === TCP_WAY) return limitsFor('tcp', { type, octets: maxBytes - TCP_RESERVE, plainAnswers });
    const size = way & 0xffff;
    if (edns === null || size === SMALL_EDNS_WAY) {
      const octets = Math.min(PLAIN_UDP_OCTETS, maxBytes) - ednsOctets(edns);
      return limitsFor('plain', { type, octets, plainAnswers });
    }
    return limitsFor('edns', { type, octets: ednsLimit({ ...edns, udpOctets: size }, maxBytes), plainAnswers });
  }
}

/** The longest datagram (Consul's limit). */
const MAX_DATAGRAM_OCTETS = 65_467;

/** The query as its answer echoes it: one that others would not get is said to be for the asker's subnet. */
function scoped(query: Query, { isForSource }: Found): Query {
  const subnet = query.edns?.subnet ?? null;
  if (!isForSource || query.edns === null || subnet === null) return query;
  return { ...query, edns: { ...query.edns, subnet: scopedToSubnet(subnet) } };
}

const alone = (answer: Answer): Shared => ({ answer, rendered: [], dependsOn: [] });

const NOTHING_ALLOWED: Authority = { ...ALL_ALLOWED, id: 'nothing', allows: () => false, allowsUnder: () => false };

/** Room for OPT with a whole IPv6 subnet. */
const TCP_RESERVE = 64;

/** Octets that the asker takes of what a recursor says. */
export function mostOctetsFor({ edns }: Query, { transport, maxBytes }: Via): number {
  const takes = edns === null ? PLAIN_UDP_OCTETS : Math.min(edns.udpOctets, MAX_DATAGRAM_OCTETS);
  return Math.min(maxBytes ?? MAX_MESSAGE_OCTETS, transport === 'tcp' ? MAX_MESSAGE_OCTETS : takes);
}

/** The key of a way of sending: plain UDP, TCP, or UDP with EDNS by size and length of the subnet option. */
export function wayOf({ edns }: Query, { transport, maxBytes }: Via): number {
  if (transport === 'tcp') return TCP_WAY;
  if (edns === null) return PLAIN_WAY;
  const size =
    edns.udpOctets <= 512 ? SMALL_EDNS_WAY : sizeClass(Math.min(edns.udpOctets, maxBytes ?? MAX_MESSAGE_OCTETS));
  return size | ((edns.subnet?.length ?? 0) << 16);
}

function sizeClass(octets: number): number {
  let index = SIZES.length - 1;
  while (index > 0 && (SIZES[index] as number) > octets) index--;
  return SIZES[index] as number;
}

/** The response code with which a query is refused; NOERROR for one that is not. */
export function whyRefused({ type, class: questionClass, edns }: Query): number {
  if (edns !== null && edns.version !== 0) return RCODE.BADVERS;
  if (!isInternet(questionClass)) return RCODE.REFUSED;
  return type === TYPE.AXFR || type === TYPE.IXFR ? RCODE.NOTIMP : RCODE.NOERROR;
}
