import { randomInt } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../lib/index.ts';
import { isLoopback, shuffle } from '../lib/index.ts';
import { PLAIN_UDP_OCTETS, RCODE } from '../message/index.ts';
import { askTcp, askUdp } from './ask-recursor.ts';
import type { DnsOptions } from './options.ts';
import type { RecursorAddress } from './recursor-address.ts';
import { isTruncated, rcodeOf } from './upstream.ts';

/** Questions that wait for recursors at a time; one more gets no answer from them. */
const MOST_IN_FLIGHT = 512;

export interface RecursionOptions {
  readonly clock: Clock;
  /** Numbers in [0, 1), for the order of recursors. */
  readonly random: () => number;
  /** Ids of queries: 0 to 65,535, not to be guessed. */
  readonly randomId?: () => number;
  readonly mostInFlight?: number;
  /** Where this server listens itself: it never asks itself. */
  readonly own?: () => readonly RecursorAddress[];
}

/** How a question goes out, and the longest answer that is of use. */
export interface AskOptions {
  readonly overTcp: boolean;
  readonly mostOctets: number;
}

type Settings = Pick<DnsOptions, 'recursors' | 'recursorStrategy' | 'recursorTimeoutMs'>;
const NO_SETTINGS: Settings = { recursors: [], recursorStrategy: 'sequential', recursorTimeoutMs: 2_000 };

/**
 * Asks the configured resolvers about what is outside the zone. Equal questions that are asked at the same time go out once:
 * a forger has one id and port to guess, and two servers that forward to each other end in one timeout instead of a storm.
 */
export class Recursion implements Disposable {
  readonly #options: RecursionOptions;
  readonly #inFlight = new Map<string, Promise<Buffer | null>>();
  readonly #closed = new AbortController();
  #settings: Settings = NO_SETTINGS;

  constructor(options: RecursionOptions) {
    this.#options = options;
  }

  /** Takes other recursors from the next question on. */
  configure(settings: Settings): void {
    this.#settings = settings;
  }

  /** How many questions wait. */
  get inFlight(): number {
    return this.#inFlight.size;
  }

  /**
   * The first answer of a recursor that is one (NOERROR or NXDOMAIN), asked in turn; null when none has any. `query` is what
   * `upstreamQuery` wrote. Over UDP first, unless `overTcp`; then over TCP when the answer was cut and the asker takes more
   * than a plain resolver does.
   */
  ask(query: Buffer, how: AskOptions): Promise<Buffer | null> {
    const key = `${how.overTcp ? 't' : how.mostOctets}${query.toString('latin1', 2)}`;
    const known = this.#inFlight.get(key);
    if (known !== undefined) return known;
    if (this.#closed.signal.aborted || this.#inFlight.size >= (this.#options.mostInFlight ?? MOST_IN_FLIGHT))
      return Promise.resolve(null);
    const asked = this.#askInTurn(query, how).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, asked);
    return asked;
  }

  async #askInTurn(query: Buffer, how: AskOptions): Promise<Buffer | null> {
    for (const recursor of this.#order()) {
      const answer = await this.#askOne(recursor, query, how);
      if (answer === null) continue;
      const rcode = rcodeOf(answer);
      if (rcode === RCODE.NOERROR || rcode === RCODE.NXDOMAIN) return answer;
    }
    return null;
  }

  #order(): readonly RecursorAddress[] {
    const { recursors, recursorStrategy } = this.#settings;
    const own = this.#options.own?.() ?? [];
    const others = recursors.filter((one) => !own.some((self) => isSame(one, self)));
    return recursorStrategy === 'random' ? shuffle([...others], this.#options.random) : others;
  }

  async #askOne(recursor: RecursorAddress, query: Buffer, { overTcp, mostOctets }: AskOptions): Promise<Buffer | null> {
    const late = new AbortController();
    const timer = this.#options.clock.after(this.#settings.recursorTimeoutMs, () => late.abort());
    const signal = AbortSignal.any([late.signal, this.#closed.signal]);
    const drawn = (): Buffer => this.#withId(query);
    try {
      if (overTcp) return await askTcp(recursor, drawn(), signal);
      const answer = await askUdp(recursor, drawn(), signal);
      // What was cut for UDP and is longer than the asker takes would be cut again.
      if (answer === null || !isTruncated(answer) || mostOctets <= PLAIN_UDP_OCTETS) return answer;
      const whole = await askTcp(recursor, drawn(), signal);
      return whole !== null && whole.length <= mostOctets ? whole : answer;
    } finally {
      timer.cancel();
    }
  }

  #withId(query: Buffer): Buffer {
    const out = Buffer.from(query);
    out.writeUInt16BE((this.#options.randomId ?? drawId)(), 0);
    return out;
  }

  /** Whoever waits gets null. */
  [Symbol.dispose](): void {
    this.#closed.abort();
  }
}

const drawId = (): number => randomInt(0x1_0000);

/** Whether asking `recursor` would be asking oneself; who listens on all addresses has each of this machine's. */
function isSame(recursor: RecursorAddress, self: RecursorAddress): boolean {
  if (recursor.port !== self.port) return false;
  if (self.address !== '0.0.0.0' && self.address !== '::') return recursor.address === self.address;
  const own = Object.values(networkInterfaces()).flatMap((some) => some ?? []);
  return isLoopback(recursor.address) || own.some(({ address }) => address === recursor.address);
}
