import type { Authority } from '../access/index.ts';
import type { Clock } from '../lib/index.ts';
import { describeHolder, findPortHolder, isLoopback, messageOf } from '../lib/index.ts';
import type { CatalogReader, Feed } from '../registry/index.ts';
import { BatchedUdpTransport } from './batched-udp-transport.ts';
import { cannotListen, portDenied, portTaken } from './errors.ts';
import type { DnsOptions } from './options.ts';
import type { PreparedQueries } from './prepared-queries.ts';
import { Recursion } from './recursion.ts';
import type { RecursorAddress } from './recursor-address.ts';
import { ForwardedResponder } from './forwarded-responder.ts';
import { Responder, type Peer, type Shared, type Via } from './responder.ts';
import type { SharedAnswers } from './shared-answers.ts';
import { TcpTransport } from './tcp-transport.ts';
import type { TcpLimits } from './tcp-transport.ts';
import type { AnswerQuery, Transport, TransportOptions } from './transport.ts';
import { UdpTransport } from './udp-transport.ts';

/** Where a server's answers come from: the catalog, as far as it may be told. */
export interface DnsContent {
  readonly catalog: CatalogReader;
  readonly feed: Pick<Feed, 'onApplied'>;
  /** What may be told, asked anew for each question: everything when left out, nothing when it throws. */
  readonly authority?: () => Authority;
  /** Who executes prepared queries; without it there are none. */
  readonly queries?: PreparedQueries;
}

/** Where answers come from whose region is elsewhere. */
export interface ForwardedContent {
  readonly answers: SharedAnswers;
}

export type DnsServerOptions = DnsServing & (DnsContent | ForwardedContent);

/** How and where a server answers. */
export interface DnsServing {
  readonly options: DnsOptions;
  readonly address: string;
  /** 0 takes a port that is free for both UDP and TCP. */
  readonly port: number;
  readonly clock: Clock;
  /** Numbers in [0, 1), for the order of answers. */
  readonly random?: () => number;
  readonly tcpLimits?: Partial<TcpLimits>;
  /** Whether UDP is read and written in batches where that can be had; on unless told. */
  readonly batchUdp?: boolean;
  /** Where else this program answers: none of these is ever asked as a recursor. */
  readonly siblings?: () => readonly RecursorAddress[];
  /** Told of failures inside a query's answer, which the asker sees as SERVFAIL. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Most octets over UDP to askers elsewhere, whatever they say they take: the sender of a datagram can be forged, and an
 * answer a thousand times as long as its question would make this server a weapon (design 13). More goes over TCP.
 */
export const REMOTE_UDP_OCTETS = 4_096;
const REMOTE_UDP = Object.freeze({ transport: 'udp', maxBytes: REMOTE_UDP_OCTETS });

/** How often another free port is tried when the one that UDP got is taken for TCP. */
const FREE_PORT_TRIES = 10;

/** Answers the zone over UDP and TCP on one address and port until it is disposed of. */
export class DnsServer implements AsyncDisposable {
  readonly address: string;
  readonly #start: DnsServerOptions;
  readonly #recursion: Recursion;
  #responder: Responder | ForwardedResponder;
  #listening: readonly [udp: Transport, tcp: TcpTransport] | null = null;

  /** @throws DNS_PORT_TAKEN, DNS_PORT_DENIED, DNS_CANNOT_LISTEN */
  static async start(options: DnsServerOptions): Promise<DnsServer> {
    const server = new DnsServer(options);
    try {
      await server.#listen();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(start: DnsServerOptions) {
    this.#start = start;
    this.address = start.address;
    this.#recursion = new Recursion({
      clock: start.clock,
      random: start.random ?? Math.random,
      own: () => [{ address: this.address, port: this.port }, ...(start.siblings?.() ?? [])],
    });
    this.#responder = this.#respond(start.options);
  }

  #respond(options: DnsOptions): Responder | ForwardedResponder {
    this.#recursion.configure(options);
    const start = this.#start;
    const shared = { options, recursion: this.#recursion };
    if ('answers' in start) return new ForwardedResponder({ random: Math.random, ...start, ...shared });
    return new Responder({ ...start, ...shared });
  }

  async #listen(): Promise<void> {
    const isOpen = !isLoopback(this.address);
    this.#listening = await listen(this.#start, (query, via, peer) =>
      this.#responder.answer(query, isOpen && via.transport === 'udp' ? REMOTE_UDP : via, peer),
    );
  }

  /** Answers by other options from the next question on; what waits for recursors is still answered as it was asked. */
  reconfigure(options: DnsOptions): void {
    const before = this.#responder;
    this.#responder = this.#respond(options);
    before.close();
  }

  /** The port of both transports. */
  get port(): number {
    return this.#listening?.[0].port ?? 0;
  }

  /** The answer to a query, and what it is made of, for an agent that keeps it; null where the region is elsewhere. */
  share(message: Uint8Array, via: Via, peer: Peer | null): Shared | null {
    return this.#responder instanceof Responder ? this.#responder.share(message, via, peer) : null;
  }

  /** Answers are made from the catalog at this revision: the receipt of DNS; 0 where the region is elsewhere. */
  get revision(): number {
    return this.#responder instanceof Responder ? this.#responder.revision : 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#responder.close();
    this.#recursion[Symbol.dispose]();
    await Promise.all((this.#listening ?? []).map((transport) => transport[Symbol.asyncDispose]()));
  }
}

async function listen(options: DnsServerOptions, answer: AnswerQuery): Promise<[Transport, TcpTransport]> {
  for (let tries = 1; ; tries++) {
    const { address, port, clock } = options;
    const udp = await startUdp({ answer, address, port }, options);
    try {
      const limits = options.tcpLimits ?? {};
      return [udp, await TcpTransport.start({ answer, address, port: udp.port, clock, limits })];
    } catch (error) {
      await udp[Symbol.asyncDispose]();
      if (port !== 0 || tries === FREE_PORT_TRIES || codeOf(error) !== 'EADDRINUSE')
        throw await listenError(error, options, 'TCP');
    }
  }
}

async function startUdp(at: TransportOptions, options: DnsServerOptions): Promise<Transport> {
  const batched = options.batchUdp === false ? null : await BatchedUdpTransport.start(at);
  if (batched !== null) return batched;
  return UdpTransport.start(at).catch(async (error: unknown) => {
    throw await listenError(error, options, 'UDP');
  });
}

async function listenError(
  error: unknown,
  { address, port }: DnsServerOptions,
  protocol: 'UDP' | 'TCP',
): Promise<Error> {
  const code = codeOf(error);
  if (code === 'EADDRINUSE') {
    const holder = await findPortHolder(address, port, protocol).catch(() => null);
    const name = holder === null ? 'another program' : describeHolder(holder);
    return portTaken.with({ cause: error }, address, port, protocol, name);
  }
  if (code === 'EACCES') return portDenied.with({ cause: error }, address, port);
  return cannotListen.with({ cause: error }, address, port, messageOf(error));
}

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : undefined);
