import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { Labels } from '../message/index.ts';
import { formatName } from '../message/index.ts';
import type { Lookup, Zone } from './lookup.ts';

/**
 * What a name below `in-addr.arpa` or `ip6.arpa` asks for; any other name is foreign. Private ranges have no other owner in
 * the public tree (RFC 6303), so drover says no for them by itself.
 */
export function parseReverse(labels: Labels): Lookup {
  const tree = labels.slice(-2).join('.');
  const parts = labels.slice(0, -2).toReversed();
  if (tree !== 'in-addr.arpa' && tree !== 'ip6.arpa') return { kind: 'foreign' };
  const isV4 = tree === 'in-addr.arpa';
  const depth = isV4 ? privateDepth4(parts) : privateDepth6(parts);
  const zone = depth === 0 ? null : zoneOf(labels.slice(labels.length - 2 - depth));
  const address = isV4 ? address4(parts) : address6(parts);
  return zone === null && address === null ? { kind: 'foreign' } : { kind: 'reverse', zone, address };
}

const zoneOf = (labels: Labels): Zone => ({ name: formatName(labels), labels });

/** How many parts of the address name its private range (RFC 1918, 3927, 6598, loopback); 0 for public ones. */
function privateDepth4([first = '', second = '']: Labels): number {
  const between = (low: number, high: number): boolean => /^\d{1,3}$/.test(second) && +second >= low && +second <= high;
  if (first === '10' || first === '127') return 1;
  if (first === '192' && second === '168') return 2;
  if (first === '169' && second === '254') return 2;
  if (first === '172' && between(16, 31)) return 2;
  return first === '100' && between(64, 127) ? 2 : 0;
}

/** The same for IPv6: unique local (RFC 4193), link-local, loopback. */
function privateDepth6(parts: Labels): number {
  const text = parts.join('');
  if (text.startsWith('fd')) return 2;
  if (/^fe[89ab]/.test(text)) return 3;
  return /^0{31}1$/.test(text) ? 32 : 0;
}

function address4(parts: Labels): string | null {
  return parts.length === 4 && isIPv4(parts.join('.')) ? parts.join('.') : null;
}

function address6(parts: Labels): string | null {
  if (parts.length !== 32 || !parts.every((label) => /^[0-9a-f]$/.test(label))) return null;
  return ipaddr.fromByteArray([...Buffer.from(parts.join(''), 'hex')]).toString();
}
