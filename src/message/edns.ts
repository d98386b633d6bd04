import ipaddr from 'ipaddr.js';
import { malformedMessage } from './errors.ts';
import type { MessageWriter } from './message-writer.ts';
import { TYPE } from './numbers.ts';

/** The option code of a client's subnet (RFC 7871). */
export const CLIENT_SUBNET = 8;

export interface EdnsOption {
  readonly code: number;
  readonly octets: Uint8Array;
}

/** What an OPT record carries (RFC 6891), but for the upper bits of the response code. */
export interface Edns {
  /** The largest answer over UDP that the sender takes, in octets. */
  readonly udpOctets: number;
  readonly version: number;
  readonly dnssecOk: boolean;
  readonly options: readonly EdnsOption[];
}

/** Writes the OPT record of a message whose response code is `rcode`. */
export function writeEdns(writer: MessageWriter, edns: Edns, rcode: number): void {
  writer.u8(0);
  writer.u16(TYPE.OPT);
  writer.u16(edns.udpOctets);
  writer.u8(rcode >> 4);
  writer.u8(edns.version);
  writer.u16(edns.dnssecOk ? 0x8000 : 0);
  writer.u16(edns.options.reduce((octets, option) => octets + 4 + option.octets.length, 0));
  for (const option of edns.options) {
    writer.u16(option.code);
    writer.u16(option.octets.length);
    writer.bytes(option.octets);
  }
}

/**
 * Reads the options of an OPT record whose RDATA stands from `start` to `end`.
 *
 * @throws MESSAGE_MALFORMED
 */
export function readEdnsOptions(message: Uint8Array, start: number, end: number): EdnsOption[] {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const options: EdnsOption[] = [];
  for (let at = start; at < end;) {
    const next = at + 4 <= end ? at + 4 + view.getUint16(at + 2) : end + 1;
    if (next > end) throw malformedMessage('an EDNS option runs over its record', at);
    options.push({ code: view.getUint16(at), octets: new Uint8Array(message.subarray(at + 4, next)) });
    at = next;
  }
  return options;
}

/**
 * The client-subnet option to send back: as it came with scope 0, "good for everyone" (RFC 7871 7.2.1); null when it is
 * malformed.
 */
export function echoClientSubnet(octets: Uint8Array): Uint8Array | null {
  if (octets.length < 4) return null;
  const family = ((octets[0] as number) << 8) | (octets[1] as number);
  const prefix = octets[2] as number;
  const most = family === 1 ? 32 : family === 2 ? 128 : -1;
  if (prefix > most || octets[3] !== 0 || octets.length !== 4 + Math.ceil(prefix / 8)) return null;
  return Uint8Array.from(octets);
}

/** The option {@link echoClientSubnet} gives, for an answer that is good for the asker's whole subnet and for no other. */
export function scopedToSubnet(octets: Uint8Array): Uint8Array {
  return octets.with(3, octets[2] as number);
}

/** The address that a client-subnet option names, its unknown bits zero; empty when it names none. */
export function subnetAddress(octets: Uint8Array): string {
  if (octets[2] === 0) return '';
  const address = new Uint8Array(octets[1] === 1 ? 4 : 16);
  address.set(octets.subarray(4));
  return ipaddr.fromByteArray([...address]).toString();
}
