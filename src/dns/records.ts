import { isIPv4, isIPv6 } from 'node:net';
import type { Labels, ResourceRecord } from '../message/index.ts';
import { formatName, octetsOf, parseName, whyNoName } from '../message/index.ts';
import type { CatalogNode } from '../registry/index.ts';
import type { Zone } from './lookup.ts';
import type { DnsOptions } from './options.ts';

/** Meta that drover and Consul write for themselves; it says nothing to those who ask for names, and Consul tells it. */
const OWN_META = 'consul-';

/** `<labels>.<zone>` as a name, or null when that is none: a label or the whole is empty or too long. */
export function nameIn(zone: Zone, ...parts: readonly string[]): string | null {
  const labels: Labels = [...parts.flatMap((part) => octetsOf(part).split('.')), ...zone.labels];
  return whyNoName(labels) === null ? formatName(labels) : null;
}

/** The A or AAAA record of an address; a host name gives a CNAME; null when it is neither. */
export function addressRecord(name: string, address: string, ttl: number): ResourceRecord | null {
  if (isIPv4(address)) return { name, ttl, data: { type: 'A', address } };
  if (isIPv6(address)) return address.includes('%') ? null : { name, ttl, data: { type: 'AAAA', address } };
  const target = hostName(address);
  return target === null ? null : { name, ttl, data: { type: 'CNAME', target } };
}

/** A host name in absolute presentation form, or null when the text is none. */
export function hostName(text: string): string | null {
  try {
    return formatName(parseName(text));
  } catch {
    return null;
  }
}

/** A node's meta as TXT, one record a pair (RFC 1464); keys that start with `rfc1035-` give the bare value. */
export function metaRecords(name: string, node: CatalogNode, ttl: number, legacy: boolean): ResourceRecord[] {
  return Object.entries(node.record.meta)
    .filter(([key]) => legacy || !key.startsWith(OWN_META))
    .map(([key, value]) => (key.startsWith('rfc1035-') ? value : `${quoteKey(key)}=${quoteValue(value)}`))
    .map((text) => ({ name, ttl, data: { type: 'TXT', strings: chunks(Buffer.from(text)) } }));
}

const quoteKey = (key: string): string => key.replaceAll(/[`=]|^[ \t]+|[ \t]+$/g, quote);
const quoteValue = (value: string): string => value.replaceAll('`', '``');
const quote = (found: string): string => found.replaceAll(/./gs, '`$&');

/** A string in TXT has at most 255 octets; readers put the parts together again. */
function chunks(octets: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < octets.length || at === 0; at += 255) parts.push(octets.subarray(at, at + 255));
  return parts;
}

/** The zone's SOA record; its serial is the time of each answer and filled in then. */
export function authorityRecord(zone: Zone, options: DnsOptions): ResourceRecord {
  const { refresh, retry, expire, minTtl } = options.soa;
  const primary = nameIn(zone, 'ns') ?? zone.name;
  const mailbox = nameIn(zone, 'hostmaster') ?? zone.name;
  return {
    name: zone.name,
    ttl: minTtl,
    data: { type: 'SOA', primary, mailbox, serial: 0, refresh, retry, expire, minimum: minTtl },
  };
}
