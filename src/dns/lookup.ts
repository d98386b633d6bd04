import ipaddr from 'ipaddr.js';
import type { Labels } from '../message/index.ts';
import { foldCase, octetsOf, parseName, textOf } from '../message/index.ts';
import type { DnsOptions } from './options.ts';
import { parseReverse } from './reverse-name.ts';

/** What a name asks for. All text is in lower case; service, tag and node as text, not octets. */
export type Lookup =
  | { readonly kind: 'service'; readonly zone: Zone; readonly service: string; readonly tag: string }
  | { readonly kind: 'node'; readonly zone: Zone; readonly node: string }
  /** A prepared query by its name or id. */
  | { readonly kind: 'query'; readonly zone: Zone; readonly query: string }
  | { readonly kind: 'address'; readonly zone: Zone; readonly address: string }
  | { readonly kind: 'apex'; readonly zone: Zone }
  /** Has no records, but there may be names below it. */
  | { readonly kind: 'parent'; readonly zone: Zone }
  | { readonly kind: 'nothing'; readonly zone: Zone }
  /** `zone` is the private range that the name lies in, if any; `address` is null for a part of one. */
  | { readonly kind: 'reverse'; readonly zone: Zone | null; readonly address: string | null }
  | { readonly kind: 'foreign' };

/** A zone that is answered: its name with the last dot, and that name's labels. */
export interface Zone {
  readonly name: string;
  readonly labels: Labels;
}

const KINDS: ReadonlySet<string> = new Set(['service', 'connect', 'virtual', 'ingress', 'node', 'query', 'addr']);

/** The zones of the options, the longer name first, so that one may lie within the other. */
export function zonesOf(options: DnsOptions): readonly Zone[] {
  const names = options.altDomain === null ? [options.domain] : [options.domain, options.altDomain];
  return names.map((name) => ({ name, labels: parseName(name) })).toSorted((a, b) => b.labels.length - a.labels.length);
}

/**
 * What `labels` (lower case) ask for when a question of type SRV or another is put (`consul-dns.md` 2): labels are scanned
 * from the right, the first that names a kind decides; to its right only the region may stand.
 */
export function parseLookup(labels: Labels, srv: boolean, zones: readonly Zone[], datacenter: string): Lookup {
  const zone = zones.find((one) => endsWith(labels, one.labels));
  if (zone === undefined) return parseReverse(labels);
  const inner = labels.slice(0, labels.length - zone.labels.length);
  if (inner.length === 0) return { kind: 'apex', zone };
  const at = inner.findLastIndex((label) => KINDS.has(label) || (srv && label.startsWith('_')));
  const region = foldCase(octetsOf(datacenter));
  if (at === -1) return { kind: isRegion(inner, region) ? 'parent' : 'nothing', zone };
  const kind = KINDS.has(inner[at] as string) ? (inner[at] as string) : 'service';
  const suffix = inner.slice(at + 1);
  if (suffix.length > 0 && !isRegion(suffix, region)) return { kind: 'nothing', zone };
  const parts = KINDS.has(inner[at] as string) ? inner.slice(0, at) : inner.slice(0, at + 1);
  return parts.length === 0 ? { kind: isServed(kind) ? 'parent' : 'nothing', zone } : parseKind(kind, parts, zone);
}

const isServed = (kind: string): boolean => ['service', 'node', 'addr', 'query'].includes(kind);

function parseKind(kind: string, parts: Labels, zone: Zone): Lookup {
  if (kind === 'service') return parseService(parts, zone);
  if (kind === 'node') return { kind: 'node', zone, node: textOf(parts.join('.')) };
  if (kind === 'query') return { kind: 'query', zone, query: textOf(queryName(parts)) };
  const address = kind === 'addr' && parts.length === 1 ? parseHex(parts[0] as string) : null;
  return address === null ? { kind: 'nothing', zone } : { kind: 'address', zone, address };
}

/** `_web._tcp` (RFC 2782; `_tcp` filters nothing, anything else is a tag) or `tag.with.dots.web`. */
function parseService(parts: Labels, zone: Zone): Lookup {
  const [first = '', second = ''] = parts;
  if (parts.length === 2 && first.startsWith('_') && second.startsWith('_')) {
    const tag = second === '_tcp' ? '' : second.slice(1);
    return { kind: 'service', zone, service: textOf(first.slice(1)), tag: textOf(tag) };
  }
  const service = parts.at(-1) as string;
  return { kind: 'service', zone, service: textOf(service), tag: textOf(parts.slice(0, -1).join('.')) };
}

/** `_geo._tcp` (RFC 2782; the second label says nothing) or `name.with.dots`. */
function queryName(parts: Labels): string {
  const [first = '', second = ''] = parts;
  return parts.length === 2 && first.startsWith('_') && second.startsWith('_') ? first.slice(1) : parts.join('.');
}

/** `aws` or `aws.dc`, for the region that this server answers for. */
function isRegion(labels: Labels, region: string): boolean {
  return labels[0] === region && (labels.length === 1 || (labels.length === 2 && labels[1] === 'dc'));
}

function endsWith(labels: Labels, end: Labels): boolean {
  const offset = labels.length - end.length;
  return offset >= 0 && end.every((label, index) => labels[offset + index] === label);
}

/** 8 hex digits are an IPv4 address, 32 an IPv6 one. */
function parseHex(label: string): string | null {
  if (!/^(?:[0-9a-f]{8}|[0-9a-f]{32})$/.test(label)) return null;
  return ipaddr.fromByteArray([...Buffer.from(label, 'hex')]).toString();
}

/** The label that {@link parseHex} reads: `192.0.2.10` gives `c000020a`. */
export function hexLabel(address: string): string {
  return Buffer.from(ipaddr.parse(address).toByteArray()).toString('hex');
}
