import { createSocket } from 'node:dgram';
import type { Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { DnsMessage } from '../message/index.ts';
import { CLASS, decodeMessage, encodeMessage } from '../message/index.ts';
import type { AppliedChange, CatalogReader, Feed } from '../registry/index.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import { catalogOf } from '../registry/testing.ts';
import { FakeClock } from '../lib/index.ts';
import { parseDnsOptions } from './options.ts';
import type { DnsInput } from './options.ts';
import { Responder } from './responder.ts';
import type { Peer, ResponderOptions, Via } from './responder.ts';

/** A query as a plain resolver sends it: recursion desired, no EDNS. */
export function queryOf(name: string, type: number, parts: Partial<DnsMessage> = {}): Uint8Array {
  const questions = [{ name, type, class: CLASS.IN }];
  return encodeMessage({ ...EMPTY, id: 0x1234, recursionDesired: true, questions, ...parts });
}

/** EDNS as a client with nothing to add to it sends it. */
export const edns = (udpOctets: number): DnsMessage['edns'] => ({
  udpOctets,
  version: 0,
  dnssecOk: false,
  options: [],
});

const EMPTY: DnsMessage = {
  id: 0,
  response: false,
  opcode: 0,
  authoritative: false,
  truncated: false,
  recursionDesired: false,
  recursionAvailable: false,
  authenticData: false,
  checkingDisabled: false,
  rcode: 0,
  questions: [],
  answers: [],
  authorities: [],
  additionals: [],
  edns: null,
};

/** A catalog that a test replaces as a whole, with the feed that tells of it. */
export class TestZone {
  readonly responder: Responder;
  readonly clock = new FakeClock();
  #catalog: CatalogReader;
  #revision: number;
  readonly #listeners = new Set<(change: AppliedChange) => void>();

  constructor(literal: RegionLiteral, input: Partial<DnsInput> = {}, more: Partial<ResponderOptions> = {}) {
    this.#catalog = catalogOf(literal);
    this.#revision = this.#catalog.revision;
    const options = parseDnsOptions({ datacenter: 'aws', ...input });
    this.responder = new Responder({ catalog: this.#reader(), feed: this.feed, options, clock: this.clock, ...more });
  }

  readonly feed: Pick<Feed, 'onApplied'> = {
    onApplied: (listen) => {
      this.#listeners.add(listen);
      return () => this.#listeners.delete(listen);
    },
  };

  /** How many listen to the feed. */
  get listeners(): number {
    return this.#listeners.size;
  }

  /** Applies another state; `services` and `nodes` are what it says that changed. Without them nobody is told. */
  change(literal: RegionLiteral, told: { services?: readonly string[]; nodes?: readonly string[] } | null): void {
    this.#catalog = catalogOf(literal);
    this.#revision++;
    if (told === null) return;
    const none: ReadonlySet<string> = new Set();
    const change: AppliedChange = {
      revision: this.#revision,
      appliedAtMs: 0,
      topics: none,
      nodes: new Set(told.nodes),
      services: new Set(told.services),
      definitions: none,
      datastores: none,
      summary: [],
    };
    for (const listen of this.#listeners) listen(change);
  }

  /** The raw answer. */
  bytes(query: Uint8Array, via: Via = { transport: 'udp' }): Uint8Array | null {
    const answer = this.responder.answer(query, via, this.peer);
    if (answer instanceof Promise) throw new Error('a recursor is asked: use later()');
    return answer;
  }

  /** The answer to a question for which recursors are asked, read. */
  async later(
    name: string,
    type: number,
    parts: Partial<DnsMessage> = {},
    via: Via = { transport: 'udp' },
  ): Promise<DnsMessage> {
    return decodeMessage((await this.responder.answer(queryOf(name, type, parts), via, this.peer)) as Uint8Array);
  }

  /** Who asks. */
  peer: Peer = { address: '192.0.2.77' };

  /** The answer to a plain question, read. */
  ask(name: string, type: number, parts: Partial<DnsMessage> = {}, via: Via = { transport: 'udp' }): DnsMessage {
    return decodeMessage(this.bytes(queryOf(name, type, parts), via) as Uint8Array);
  }

  /** A reader whose state is always the newest, with revisions that only rise. */
  #reader(): CatalogReader {
    const current = (): CatalogReader => this.#catalog;
    const revision = (): number => this.#revision;
    return new Proxy({} as CatalogReader, {
      get(_target, key: keyof CatalogReader) {
        if (key === 'revision') return revision();
        const value = current()[key];
        return typeof value === 'function' ? (value as () => unknown).bind(current()) : value;
      },
    });
  }
}

/** Records as `dig` prints them: `name ttl TYPE data`. */
export function lines(records: DnsMessage['answers']): string[] {
  return records.map(({ name, ttl, data }) => `${name} ${ttl} ${data.type} ${dataText(data)}`);
}

function dataText(data: DnsMessage['answers'][number]['data']): string {
  if (data.type === 'TXT') return data.strings.map((string) => `"${Buffer.from(string).toString()}"`).join(' ');
  if (data.type === 'OPAQUE') return Buffer.from(data.octets).toString('hex');
  const { type: _, ...values } = data;
  return Object.values(values).join(' ');
}

/** What a test's recursor says to a query: parts of a message, its octets, or null for silence. */
export type RecursorAnswer = (query: DnsMessage, over: 'udp' | 'tcp') => Partial<DnsMessage> | Uint8Array | null;

/** A resolver of a test's own, over UDP and TCP on a free port of 127.0.0.1. */
export class FakeRecursor implements AsyncDisposable {
  readonly port: number;
  /** What it was asked, in order: `udp example.com. 1`. */
  readonly asked: string[] = [];
  /** From which ports it was asked over UDP, and with which ids. */
  readonly sources: { readonly port: number; readonly id: number }[] = [];
  readonly #udp: DatagramSocket;
  readonly #tcp: Server;
  readonly #sockets = new Set<Socket>();
  readonly #say: RecursorAnswer;

  static async start(say: RecursorAnswer): Promise<FakeRecursor> {
    for (;;) {
      const tcp = createServer();
      tcp.listen(0, '127.0.0.1');
      await once(tcp, 'listening');
      const udp = createSocket('udp4');
      const bound = once(udp, 'listening').then(
        () => true,
        () => false,
      );
      udp.bind((tcp.address() as AddressInfo).port, '127.0.0.1');
      if (await bound) return new FakeRecursor(udp, tcp, say);
      tcp.close();
    }
  }

  private constructor(udp: DatagramSocket, tcp: Server, say: RecursorAnswer) {
    this.#udp = udp;
    this.#tcp = tcp;
    this.#say = say;
    this.port = udp.address().port;
    udp.on('message', (bytes, from) => {
      this.sources.push({ port: from.port, id: bytes.readUInt16BE(0) });
      const answer = this.#answer(bytes, 'udp');
      if (answer !== null) udp.send(answer, from.port, from.address);
    });
    tcp.on('connection', (socket) => this.#serve(socket));
  }

  /** As `recursors` names it. */
  get name(): string {
    return `127.0.0.1:${this.port}`;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      const answer = this.#answer(bytes.subarray(2), 'tcp');
      if (answer === null) return;
      const length = Buffer.alloc(2);
      length.writeUInt16BE(answer.length);
      socket.write(Buffer.concat([length, answer]));
    });
  }

  #answer(bytes: Uint8Array, over: 'udp' | 'tcp'): Uint8Array | null {
    const query = decodeMessage(bytes);
    const [question] = query.questions;
    this.asked.push(`${over} ${question?.name} ${question?.type}`);
    const said = this.#say(query, over);
    if (said === null || said instanceof Uint8Array) return said;
    return encodeMessage({ ...query, response: true, recursionAvailable: true, ...said });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#udp.close();
    this.#tcp.close();
    await Promise.all([once(this.#udp, 'close'), once(this.#tcp, 'close')]);
  }
}
