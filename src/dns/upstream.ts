import { CLIENT_SUBNET, HEADER_OCTETS, TYPE } from '../message/index.ts';
import type { Query } from './query.ts';

const QR = 0x80;
const TC = 0x02;
const RD = 0x01;
const RA = 0x80;
/** AD and CD: a resolver that checks signatures wants to know. */
const CHECKING = 0x30;
const DO = 0x80;
const OPT_OCTETS = 11;
const SUBNET_HEAD_OCTETS = 4;

/**
 * What a recursor is asked for a query that came in: its question as it was spelled, its RD, AD, CD and DO, its size and
 * subnet. Other options of EDNS speak to this server alone (RFC 6891 6.1.1), cookies above all. The id is left 0.
 */
export function upstreamQuery(bytes: Buffer, { end, edns }: Query): Buffer {
  const subnet = edns?.subnet ?? null;
  const subnetOctets = subnet === null ? 0 : SUBNET_HEAD_OCTETS + subnet.length;
  const out = Buffer.alloc(end + (edns === null ? 0 : OPT_OCTETS + subnetOctets));
  out[2] = (bytes[2] as number) & RD;
  out[3] = (bytes[3] as number) & CHECKING;
  out[5] = 1;
  bytes.copy(out, HEADER_OCTETS, HEADER_OCTETS, end);
  if (edns === null) return out;
  out[11] = 1;
  out.writeUInt16BE(TYPE.OPT, end + 1);
  out.writeUInt16BE(edns.udpOctets, end + 3);
  out[end + 7] = edns.dnssecOk ? DO : 0;
  out.writeUInt16BE(subnetOctets, end + 9);
  if (subnet === null) return out;
  out.writeUInt16BE(CLIENT_SUBNET, end + OPT_OCTETS);
  out.writeUInt16BE(subnet.length, end + OPT_OCTETS + 2);
  out.set(subnet, end + OPT_OCTETS + SUBNET_HEAD_OCTETS);
  return out;
}

/** Where the question of a query that {@link upstreamQuery} wrote ends. */
export function questionEnd(query: Buffer): number {
  let at = HEADER_OCTETS;
  while ((query[at] as number) > 0) at += 1 + (query[at] as number);
  return at + 5;
}

/** Whether a datagram answers a query: by its id and its whole question. Whose it is the socket has seen to. */
export function isAnswerTo(query: Buffer, answer: Buffer): boolean {
  const end = questionEnd(query);
  if (answer.length < end || answer[0] !== query[0] || answer[1] !== query[1]) return false;
  if (((answer[2] as number) & 0xf8) !== QR || answer.readUInt16BE(4) !== 1) return false;
  for (let at = HEADER_OCTETS; at < end; at++)
    if (foldOctet(answer[at] as number) !== foldOctet(query[at] as number)) return false;
  return true;
}

const foldOctet = (octet: number): number => (octet >= 65 && octet <= 90 ? octet | 0x20 : octet);

/** The lower bits of an answer's response code. */
export const rcodeOf = (answer: Buffer): number => (answer[3] as number) & 15;

export const isTruncated = (answer: Buffer): boolean => ((answer[2] as number) & TC) !== 0;

/** A recursor's answer for the asker of `bytes`: its id and spelling, RA, and no more octets than it takes, else TC. */
export function toAsker(answer: Buffer, bytes: Buffer, { end, edns }: Query, mostOctets: number): Buffer {
  const isLong = answer.length > mostOctets;
  const out = isLong ? bare(answer, end, edns?.udpOctets ?? null) : Buffer.from(answer);
  out[0] = bytes[0] as number;
  out[1] = bytes[1] as number;
  out[3] = (out[3] as number) | RA;
  bytes.copy(out, HEADER_OCTETS, HEADER_OCTETS, end);
  return out;
}

function bare(answer: Buffer, end: number, udpOctets: number | null): Buffer {
  const out = Buffer.alloc(end + (udpOctets === null ? 0 : OPT_OCTETS));
  answer.copy(out, 0, 0, 6);
  out[2] = (out[2] as number) | TC;
  if (udpOctets === null) return out;
  out[11] = 1;
  out.writeUInt16BE(TYPE.OPT, end + 1);
  out.writeUInt16BE(udpOctets, end + 3);
  return out;
}
