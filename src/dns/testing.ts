import type { DnsMessage } from '../message/index.ts';
import { CLASS, decodeMessage, encodeMessage } from '../message/index.ts';
import type { AppliedChange, CatalogReader, Feed } from '../registry/index.ts';
import type { RegionLiteral } from '../registry/testing.ts';
import { catalogOf } from '../registry/testing.ts';
import { FakeClock } from '../lib/index.ts';
import { parseDnsOptions } from './options.ts';
import type { DnsInput } from './options.ts';
import { Responder } from './responder.ts';
import type { ResponderOptions, Via } from './responder.ts';

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
    return this.responder.answer(query, via);
  }

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
