import type { Clock } from '../lib/index.ts';
import { MAX_MESSAGE_OCTETS, PLAIN_UDP_OCTETS, RCODE, TYPE, foldCase, formatName } from '../message/index.ts';
import type { AppliedChange, CatalogReader, Feed } from '../registry/index.ts';
import { AnswerCache, NameAnswers, Variants, isCachedType } from './answer-cache.ts';
import { assemble, ednsLimit, ednsOctets, refusal } from './assemble.ts';
import { CatalogView } from './catalog-view.ts';
import { Dealer } from './dealer.ts';
import { parseLookup, zonesOf } from './lookup.ts';
import type { Zone } from './lookup.ts';
import type { DnsOptions } from './options.ts';
import { isInternet, labelsOf, readQuery } from './query.ts';
import type { Query } from './query.ts';
import { limitsFor, render } from './render.ts';
import type { Limits, Rendered } from './render.ts';
import { ZoneContent } from './zone-content.ts';

/** How a query came, and what the transport can carry back. */
export interface Via {
  readonly transport: 'udp' | 'tcp';
  /** Octets of the longest answer; 65,535 when left out. */
  readonly maxBytes?: number;
}

export interface ResponderOptions {
  readonly catalog: CatalogReader;
  readonly feed: Pick<Feed, 'onApplied'>;
  readonly options: DnsOptions;
  readonly clock: Pick<Clock, 'wall'>;
  /** Numbers in [0, 1), for the order of answers. */
  readonly random?: () => number;
  /** Octets of prebuilt answers to keep, about; 64 MB when left out. */
  readonly cacheOctets?: number;
  /** Told of what should never happen; the asker gets SERVFAIL. */
  readonly onError?: (error: unknown) => void;
}

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
  #revision: number;

  constructor({ catalog, feed, options, clock, random, cacheOctets, onError }: ResponderOptions) {
    this.#catalog = catalog;
    this.#options = options;
    this.#clock = clock;
    this.#random = random ?? Math.random;
    this.#dealer = new Dealer(this.#random);
    this.#zones = zonesOf(options);
    this.#view = new CatalogView(catalog, options);
    this.#content = new ZoneContent(this.#view, options, this.#zones);
    this.#cache = new AnswerCache(cacheOctets ?? 64 << 20);
    this.#revision = catalog.revision;
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

  /** A catalog that was loaded anew, without telling what differs, has a revision that no change announced. */
  #catchUp(): void {
    if (this.#catalog.revision <= this.#revision) return;
    this.#revision = this.#catalog.revision;
    this.#view.reset();
    this.#cache.clear();
  }

  /** The answer to a query, never longer than `maxBytes` or than the query allows; null when none must be sent. Never throws. */
  answer(message: Uint8Array, via: Via): Uint8Array | null {
    const bytes = Buffer.isBuffer(message)
      ? message
      : Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const query = readQuery(bytes);
    if (query === null) return null;
    if (typeof query === 'number') return refusal(bytes, null, query);
    const refused = whyRefused(query);
    if (refused !== RCODE.NOERROR) return refusal(bytes, query, refused, this.#isOurs(query));
    try {
      return this.#answer(bytes, query, via);
    } catch (error) {
      this.#onError(error);
      return refusal(bytes, query, RCODE.SERVFAIL);
    }
  }

  /** Whether the question's name lies in a zone that is answered: then also errors are given with authority. */
  #isOurs({ name, class: questionClass }: Query): boolean {
    return isInternet(questionClass) && parseLookup(labelsOf(name), false, this.#zones, '').kind !== 'foreign';
  }

  #answer(bytes: Buffer, query: Query, via: Via): Buffer {
    this.#catchUp();
    const rendered = this.#rendered(query, via);
    if (rendered.rcode === RCODE.REFUSED) return refusal(bytes, query, RCODE.REFUSED);
    const seconds = rendered.serials.length === 0 ? 0 : Math.floor(this.#clock.wall() / 1_000);
    return assemble(bytes, query, rendered, seconds, this.#dealer);
  }

  #rendered(query: Query, via: Via): Rendered {
    const way = wayOf(query, via);
    const known = this.#cache.get(query.name);
    const variants = known?.get(query.type, way);
    return variants === undefined ? this.#build(query, via, way, known) : variants.next();
  }

  #build(query: Query, via: Via, way: number, known: NameAnswers | undefined): Rendered {
    const { type } = query;
    const labels = known?.labels ?? labelsOf(query.name);
    const lookup = parseLookup(labels, type === TYPE.SRV, this.#zones, this.#options.datacenter);
    const result = this.#content.find(formatName(labels), lookup, type);
    const limits = this.#limits(query, via, way);
    const options = {
      compress: !this.#options.disableCompression,
      tellTruncated: this.#options.enableTruncate,
      random: this.#random,
    };
    const draw = (): Rendered => render(result, labels, type, limits, options);
    const first = draw();
    if (!result.isCacheable || !isCachedType(type)) return first;
    const variants = new Variants(
      draw,
      first,
      result.order === 'fixed' || first.movable !== null ? 1 : result.items.length,
    );
    const answers = known ?? new NameAnswers(labels);
    answers.set(type, way, variants);
    this.#cache.put(query.name, answers, result.dependsOn, variants.octets);
    return first;
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

/** Room for OPT with a whole IPv6 subnet. */
const TCP_RESERVE = 64;

/** The key of a way of sending: plain UDP, TCP, or UDP with EDNS by size and length of the subnet option. */
function wayOf({ edns }: Query, { transport, maxBytes }: Via): number {
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

function whyRefused({ type, class: questionClass, edns }: Query): number {
  if (edns !== null && edns.version !== 0) return RCODE.BADVERS;
  if (!isInternet(questionClass)) return RCODE.REFUSED;
  return type === TYPE.AXFR || type === TYPE.IXFR ? RCODE.NOTIMP : RCODE.NOERROR;
}
