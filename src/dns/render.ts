import type { Labels, NamePointer, ResourceRecord } from '../message/index.ts';
import {
  HEADER_OCTETS,
  MAX_MESSAGE_OCTETS,
  MessageWriter,
  TYPE,
  foldCase,
  formatName,
  parseName,
  writeRecord,
} from '../message/index.ts';
import { movable } from './dealer.ts';
import type { Movable } from './dealer.ts';
import type { Found, Item } from './found.ts';
import { shuffle, shuffleByWeight } from './shuffle.ts';

/** What an answer must fit into. */
export interface Limits {
  /** Octets of the whole message without what EDNS adds. */
  readonly octets: number;
  /** Whether `octets` counts names spelled out, whatever goes over the wire. */
  readonly spelledOut: boolean;
  readonly answers: number;
}

export interface RenderOptions {
  readonly compress: boolean;
  /** Whether TC tells of answers that were left out. */
  readonly tellTruncated: boolean;
  readonly random: () => number;
}

/** All of an answer that follows its question, ready to be copied. */
export interface Rendered {
  readonly rcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  /** ANSWER, AUTHORITY and ADDITIONAL, without OPT. */
  readonly counts: readonly [number, number, number];
  readonly body: Uint8Array;
  /** Where in the body the serials of SOA records stand, to be set to the time of the answer. */
  readonly serials: readonly number[];
  /** Where in the body the last `octets` of the question's name are spelled out, to be set to the asker's spelling. */
  readonly spellings: readonly { readonly at: number; readonly octets: number }[];
  /** How to give the answers another order without writing them anew; null when that cannot be, or must not. */
  readonly movable: Movable | null;
}

/** Puts what was found in order, cuts it to the limits and writes it for the question `name` (lower case) of `type`. */
export function render(result: Found, name: Labels, type: number, limits: Limits, options: RenderOptions): Rendered {
  const whole = ordered(result, options.random).slice(0, result.most);
  const most = whole.slice(0, Math.min(limits.answers, Math.ceil(limits.octets / SMALLEST_RECORD)));
  const write = (content: Content, compress: boolean): Written => writeContent(content, name, type, compress);
  const fits = (content: Content): boolean => octetsOf(content, write, limits, options) <= limits.octets;
  const content = cut(result, most, fits);
  const truncated = content.items.length < whole.length && (options.tellTruncated || content.items.length === 0);
  const { rcode, authoritative } = result;
  const { counts, body, serials, spellings, ...written } = write(content, options.compress);
  const isWhole = content.items.length === result.items.length && spellings.length === 0 && serials.length === 0;
  const weights = result.order === 'weight' ? content.items.map((one) => one.weight) : null;
  const moves =
    result.order === 'fixed' || !isWhole
      ? null
      : movable(written.starts, weights, written.pointers, written.octets - body.length);
  return { rcode, authoritative, truncated, counts, body, serials, spellings, movable: moves };
}

/** An A record whose owner is a pointer: to try more than fit of these would be for nothing. */
const SMALLEST_RECORD = 16;

interface Content {
  readonly items: readonly Item[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
}

interface Written extends Pick<Rendered, 'counts' | 'body' | 'serials' | 'spellings'> {
  /** Of the whole message. */
  readonly octets: number;
  readonly starts: readonly number[];
  readonly pointers: readonly NamePointer[];
}

function ordered(result: Found, random: () => number): Item[] {
  const items = [...result.items];
  if (result.order === 'fixed' || items.length < 2) return items;
  return result.order === 'weight' ? shuffleByWeight(items, random) : shuffle(items, random);
}

function octetsOf(
  content: Content,
  write: (content: Content, compress: boolean) => Written,
  limits: Limits,
  options: RenderOptions,
): number {
  try {
    return write(content, options.compress && !limits.spelledOut).octets;
  } catch {
    // Only its length can be wrong with it: more than any message holds.
    return MAX_MESSAGE_OCTETS + 1;
  }
}

/** First AUTHORITY goes, then answers from the end with their addresses, then all addresses, then the last answer. */
function cut(result: Found, items: readonly Item[], fits: (content: Content) => boolean): Content {
  const whole = { items, authorities: result.authorities, additionals: result.additionals };
  if (fits(whole)) return whole;
  const bare = { ...whole, authorities: [], additionals: items.length > 0 ? [] : whole.additionals };
  const count = largest(items.length, (some) => fits({ ...bare, items: items.slice(0, some) }));
  if (count > 0) return { ...bare, items: items.slice(0, count) };
  const alone = { ...bare, items: items.slice(0, 1).map((one) => ({ ...one, additionals: [] })) };
  return items.length > 0 && fits(alone) ? alone : { items: [], authorities: [], additionals: [] };
}

/** The largest number from 1 to `most` that passes, where with each all smaller ones pass; 0 when none does. */
function largest(most: number, passes: (count: number) => boolean): number {
  let low = 0;
  let high = most;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (passes(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

function writeContent(content: Content, name: Labels, type: number, compress: boolean): Written {
  const writer = new MessageWriter({ compress });
  writer.bytes(new Uint8Array(HEADER_OCTETS));
  writer.name(name);
  writer.u16(type);
  writer.u16(1);
  const start = writer.length;
  const serials: number[] = [];
  const spellings: { at: number; octets: number }[] = [];
  const question = formatName(name);
  const put = (record: ResourceRecord): void => {
    if (!compress && isEnding(record.name, question))
      spellings.push({ at: writer.length - start, octets: wireOctets(record.name) });
    writeRecord(writer, record);
    if (record.data.type === 'SOA') serials.push(writer.length - start - 20);
  };
  const starts = [0];
  for (const { record } of content.items) {
    put(record);
    starts.push(writer.length - start);
  }
  for (const record of content.authorities) put(record);
  const additionals = distinct([...content.items.flatMap((one) => one.additionals), ...content.additionals]);
  for (const record of additionals) put(record);
  const counts = [content.items.length, content.authorities.length, additionals.length] as const;
  const body = writer.take().subarray(start);
  return { counts, body, serials, spellings, octets: writer.length, starts, pointers: writer.pointers };
}

const isEnding = (name: string, question: string): boolean =>
  name === question || (foldCase(name) === name && question.endsWith(`.${name}`));

const wireOctets = (name: string): number => parseName(name).reduce((octets, label) => octets + 1 + label.length, 1);

/** Targets on one node share its addresses: each record once. */
function distinct(records: readonly ResourceRecord[]): readonly ResourceRecord[] {
  if (records.length < 2) return records;
  const seen = new Map<string, ResourceRecord>();
  for (const record of records) {
    const { data } = record;
    const text =
      data.type === 'TXT' ? data.strings.map((string) => Buffer.from(string).toString('latin1')).join('\0') : '';
    const key = `${record.name} ${data.type} ${'address' in data ? data.address : text}`;
    if (!seen.has(key)) seen.set(key, record);
  }
  return [...seen.values()];
}

/** Limits of each way an answer can go. */
export function limitsFor(way: 'plain' | 'tcp' | 'edns', options: LimitOptions): Limits {
  if (way === 'tcp') {
    const answers = options.type === TYPE.SRV ? 1_024 : 4_096;
    return { octets: options.octets, spelledOut: false, answers };
  }
  if (way === 'edns') return { octets: options.octets, spelledOut: false, answers: Number.POSITIVE_INFINITY };
  return { octets: options.octets, spelledOut: true, answers: options.plainAnswers };
}

export interface LimitOptions {
  readonly type: number;
  readonly octets: number;
  readonly plainAnswers: number;
}
