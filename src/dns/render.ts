import { shuffle } from '../lib/index.ts';
import type { Labels } from '../message/index.ts';
import { TYPE } from '../message/index.ts';
import { movable } from './dealer.ts';
import type { Movable } from './dealer.ts';
import type { Found, Item } from './found.ts';
import { shuffleByWeight } from './shuffle.ts';
import { writeContent } from './write-content.ts';
import type { Content, Written } from './write-content.ts';

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
  const isMeasuredCompressed = options.compress && !limits.spelledOut;
  const measure = (content: Content): Written => writeContent(content, name, type, isMeasuredCompressed);
  const { content, written: measured } = cut(result, most, limits.octets, measure);
  const written = options.compress === isMeasuredCompressed ? measured : writeContent(content, name, type, true);
  const { counts, body, serials, spellings } = written;
  const { rcode, authoritative } = result;
  const truncated = content.items.length < whole.length && (options.tellTruncated || content.items.length === 0);
  const moves = content.items.length < result.items.length ? null : movesOf(result, content, written);
  return { rcode, authoritative, truncated, counts, body, serials, spellings, movable: moves };
}

/** An A record whose owner is a pointer: to try more than fit of these would be for nothing. */
const SMALLEST_RECORD = 16;

function ordered(result: Found, random: () => number): Item[] {
  const items = [...result.items];
  if (result.order === 'fixed' || items.length < 2) return items;
  return result.order === 'weight' ? shuffleByWeight(items, random) : shuffle(items, random);
}

function movesOf(result: Found, content: Content, written: Written): Movable | null {
  if (result.order === 'fixed' || written.spellings.length > 0 || written.serials.length > 0) return null;
  const weights = result.order === 'weight' ? content.items.map((one) => one.weight) : null;
  return movable(written.starts, weights, written.pointers, written.octets - written.body.length);
}

interface Cut {
  readonly content: Content;
  readonly written: Written;
}

/** First AUTHORITY goes, then answers from the end with their addresses, then all addresses, then the last answer. */
function cut(result: Found, items: readonly Item[], limit: number, write: (content: Content) => Written): Cut {
  const whole = { items, authorities: result.authorities, additionals: result.additionals };
  const written = write(whole);
  if (written.octets <= limit) return { content: whole, written };
  const bare = { ...whole, authorities: [], additionals: items.length > 0 ? [] : whole.additionals };
  for (let count = mostFitting(written, limit); count > 0; count--) {
    const some = tryWrite({ ...bare, items: items.slice(0, count) }, limit, write);
    if (some !== null) return some;
  }
  const alone = { ...bare, items: items.slice(0, 1).map((one) => ({ ...one, additionals: [] })) };
  const nothing = { items: [], authorities: [], additionals: [] };
  return (items.length > 0 ? tryWrite(alone, limit, write) : null) ?? { content: nothing, written: write(nothing) };
}

function tryWrite(content: Content, limit: number, write: (content: Content) => Written): Cut | null {
  const written = write(content);
  return written.octets <= limit ? { content, written } : null;
}

/** How many of the items that were written would fit with what belongs to them: to be tried, as names compress differently. */
function mostFitting({ octets, body, starts, extraEnds }: Written, limit: number): number {
  const head = octets - body.length;
  const isWithin = (start: number, count: number): boolean => head + start + (extraEnds[count] as number) <= limit;
  return Math.max(0, starts.findLastIndex(isWithin));
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
