import { HEADER_OCTETS, TYPE } from '../message/index.ts';
import type { Dealer } from './dealer.ts';
import type { Query, QueryEdns } from './query.ts';
import type { Rendered } from './render.ts';

const OPT_OCTETS = 11;
const QR = 0x80;
const AA = 0x04;
const TC = 0x02;
const RD = 0x01;
const RA = 0x80;
/** UDP's own header is taken off what the client says it takes, as Consul does. */
const UDP_HEADER_OCTETS = 8;
/** More than this fits into no datagram of IPv4 with its options (Consul's limit). */
const MAX_DATAGRAM_OCTETS = 65_467;

/** Octets that EDNS adds to the answer. */
export function ednsOctets(edns: QueryEdns | null): number {
  if (edns === null) return 0;
  return OPT_OCTETS + (edns.subnet === null ? 0 : 4 + edns.subnet.length);
}

/** Octets that an answer with EDNS may have over UDP before EDNS's own. */
export function ednsLimit(edns: QueryEdns, mostOctets: number): number {
  const octets = Math.min(edns.udpOctets, mostOctets, MAX_DATAGRAM_OCTETS);
  return octets - UDP_HEADER_OCTETS - ednsOctets(edns);
}

/** The answer's octets: the question as it was spelled, then what was prepared for it, then OPT. */
export function assemble(bytes: Buffer, query: Query, rendered: Rendered, wallSeconds: number, dealer: Dealer): Buffer {
  const { end, edns } = query;
  const { body, counts } = rendered;
  const out = Buffer.allocUnsafe(end + body.length + ednsOctets(edns));
  copyQuestion(out, bytes, end);
  const flags = QR | (rendered.authoritative ? AA : 0) | (rendered.truncated ? TC : 0);
  out[2] = flags | ((bytes[2] as number) & RD);
  out[3] = rendered.rcode;
  out.writeUInt16BE(counts[0], 6);
  out.writeUInt16BE(counts[1], 8);
  out.writeUInt16BE(counts[2] + (edns === null ? 0 : 1), 10);
  if (rendered.movable === null) out.set(body, end);
  else dealer.deal(out, end, body, rendered.movable);
  for (const serial of rendered.serials) out.writeUInt32BE(wallSeconds, end + serial);
  for (const { at, octets } of rendered.spellings) out.copyWithin(end + at, end - 4 - octets, end - 4);
  if (edns !== null) writeOpt(out, end + body.length, edns, 0);
  return out;
}

/** The answer of a server that also asks others: with RA. */
export function withRecursion<T extends Uint8Array>(answer: T): T {
  answer[3] = (answer[3] as number) | RA;
  return answer;
}

/** An answer that says only why there is none. The question goes back as far as it could be read. */
export function refusal(bytes: Buffer, query: Query | null, rcode: number, isAuthoritative = false): Buffer {
  const end = query?.end ?? HEADER_OCTETS;
  const edns = query?.edns ?? null;
  const out = Buffer.alloc(end + ednsOctets(edns));
  copyQuestion(out, bytes, end);
  out[2] = QR | (isAuthoritative ? AA : 0) | ((bytes[2] as number) & (0x78 | RD));
  out[3] = rcode & 15;
  out[5] = query === null ? 0 : 1;
  for (let at = 6; at < HEADER_OCTETS; at++) out[at] = 0;
  if (edns !== null) {
    out[11] = 1;
    writeOpt(out, end, edns, rcode >> 4);
  }
  return out;
}

function copyQuestion(out: Buffer, bytes: Buffer, end: number): void {
  // A loop beats a call into C++ at the length of a question.
  for (let at = 0; at < end; at++) out[at] = bytes[at] as number;
}

/** RFC 6891 6.1.2: root, OPT, the same UDP size, upper bits of the response code, version 0; RFC 7871's option echoed. */
function writeOpt(out: Buffer, start: number, edns: QueryEdns, rcodeHigh: number): void {
  out[start] = 0;
  out.writeUInt16BE(TYPE.OPT, start + 1);
  out.writeUInt16BE(edns.udpOctets, start + 3);
  out[start + 5] = rcodeHigh;
  out[start + 6] = 0;
  out.writeUInt16BE(0, start + 7);
  const { subnet } = edns;
  out.writeUInt16BE(subnet === null ? 0 : 4 + subnet.length, start + 9);
  if (subnet === null) return;
  out.writeUInt16BE(8, start + OPT_OCTETS);
  out.writeUInt16BE(subnet.length, start + OPT_OCTETS + 2);
  out.set(subnet, start + OPT_OCTETS + 4);
}
