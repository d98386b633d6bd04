import type { Clock } from '../lib/index.ts';
import { MAX_MESSAGE_OCTETS, RCODE } from '../message/index.ts';
import { assemble, refusal, withRecursion } from './assemble.ts';
import { Dealer } from './dealer.ts';
import { parseLookup, zonesOf, type Zone } from './lookup.ts';
import type { DnsOptions } from './options.ts';
import { forward } from './outside.ts';
import { isInternet, labelsOf, readQuery, type Query } from './query.ts';
import type { Recursion } from './recursion.ts';
import { mostOctetsFor, wayOf, whyRefused, type Answer, type Peer, type Via } from './responder.ts';
import type { Rendered } from './render.ts';
import type { SharedAnswers } from './shared-answers.ts';

export interface ForwardedResponderOptions {
  readonly answers: SharedAnswers;
  readonly options: DnsOptions;
  readonly clock: Pick<Clock, 'wall'>;
  /** Numbers in [0, 1), for the order of answers. */
  readonly random: () => number;
  /** Who asks the recursors, when the options name some. */
  readonly recursion: Recursion;
}

/**
 * DNS of an agent whose region is elsewhere. Names of the zone are a server's to answer; its answers are kept as what they are made
 * of, so that they come out here as they would there, octet for octet, in an order of their own for each asker. While no server can
 * be asked they go on; names that were never asked for get SERVFAIL: nobody knows that they are not there.
 */
export class ForwardedResponder {
  readonly #answers: SharedAnswers;
  readonly #clock: Pick<Clock, 'wall'>;
  readonly #dealer: Dealer;
  readonly #zones: readonly Zone[];
  readonly #recursion: Recursion | null;
  readonly #datacenter: string;

  constructor({ answers, options, clock, random, recursion }: ForwardedResponderOptions) {
    this.#answers = answers;
    this.#clock = clock;
    this.#dealer = new Dealer(random);
    this.#zones = zonesOf(options);
    this.#datacenter = options.datacenter;
    this.#recursion = options.recursors.length === 0 ? null : recursion;
  }

  /** As `Responder.answer`. */
  answer(message: Uint8Array, via: Via, peer: Peer | null = null): Answer {
    const answer = this.#answerOnce(message, via, peer);
    if (this.#recursion === null || answer === null) return answer;
    return answer instanceof Promise ? answer.then(withRecursion) : withRecursion(answer);
  }

  /** There is nothing to let go of. */
  close(): void {}

  #answerOnce(message: Uint8Array, via: Via, peer: Peer | null): Answer {
    const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
    const query = readQuery(bytes);
    if (query === null) return null;
    if (typeof query === 'number') return refusal(bytes, null, query);
    const kind = this.#kindOf(query);
    const refused = whyRefused(query);
    if (refused !== RCODE.NOERROR) return refusal(bytes, query, refused, kind !== 'foreign');
    if (kind === 'foreign') return this.#outside(bytes, query, via);
    const key = `${query.name}\0${query.type} ${wayOf(query, via)}`;
    const kept = this.#answers.get(key);
    if (kept?.isGood === true && !query.edns?.subnet) return this.#assemble(bytes, query, kept.rendered);
    // The octets are written over as soon as this returns.
    return this.#ask(key, Buffer.from(bytes), query, via, peer?.address ?? '');
  }

  #kindOf({ name, class: questionClass }: Query): string {
    if (!isInternet(questionClass)) return 'foreign';
    return parseLookup(labelsOf(name), false, this.#zones, this.#datacenter).kind;
  }

  #outside(bytes: Buffer, query: Query, via: Via): Answer {
    if (this.#recursion === null) return refusal(bytes, query, RCODE.REFUSED);
    const held = Buffer.from(bytes);
    const how = { overTcp: via.transport === 'tcp', mostOctets: mostOctetsFor(query, via) };
    return forward(this.#recursion, held, query, how).then(
      (answer) => answer ?? refusal(held, query, RCODE.SERVFAIL),
      () => refusal(held, query, RCODE.SERVFAIL),
    );
  }

  async #ask(key: string, bytes: Buffer, query: Query, via: Via, client: string): Promise<Uint8Array> {
    const question = { packet: bytes, transport: via.transport, maxBytes: via.maxBytes ?? null, client };
    // What depends on who asks is asked for each.
    const own = query.edns?.subnet ? `${key} ${Buffer.from(query.edns.subnet).toString('hex')}` : key;
    const answer = await this.#answers.ask(own, question);
    const kept = answer?.rendered[0] ?? (answer === null ? this.#answers.get(key)?.rendered : undefined);
    if (kept !== undefined) return this.#assemble(bytes, query, kept);
    // Nobody in the region has a word on an address: recursors may.
    if (this.#recursion !== null && this.#kindOf(query) === 'reverse' && answer !== null)
      return (await this.#outside(bytes, query, via)) as Uint8Array;
    if (answer?.packet && answer.packet.length <= (via.maxBytes ?? MAX_MESSAGE_OCTETS))
      return addressed(answer.packet, bytes, query);
    return refusal(bytes, query, RCODE.SERVFAIL);
  }

  #assemble(bytes: Buffer, query: Query, rendered: Rendered): Buffer {
    const seconds = rendered.serials.length === 0 ? 0 : Math.floor(this.#clock.wall() / 1_000);
    return assemble(bytes, query, rendered, seconds, this.#dealer);
  }
}

/** An answer that somebody who asked the same was given: with the id and the spelling of this question. */
function addressed(packet: Uint8Array, bytes: Buffer, { end }: Query): Uint8Array {
  const out = Buffer.from(packet);
  if (out.length < end) return out;
  const flags = [out[2] as number, out[3] as number, ...out.subarray(4, 12)];
  bytes.copy(out, 0, 0, end);
  out.set(flags, 2);
  return out;
}
