import ipaddr from 'ipaddr.js';
import { isIPv4, isIPv6 } from 'node:net';
import { badRecord, malformedMessage } from './errors.ts';
import { formatName } from './name.ts';
import { readName } from './name-reader.ts';
import { TYPE } from './numbers.ts';
import type { MessageWriter } from './message-writer.ts';
import type { RecordData } from './record.ts';

/** The number of a record's type. */
export function typeNumber(data: RecordData): number {
  return data.type === 'OPAQUE' ? data.code : TYPE[data.type];
}

/**
 * Writes the RDATA of a record. The names of SRV are spelled out (RFC 2782), those of the oldest types compressed.
 *
 * @throws MESSAGE_BAD_RECORD, MESSAGE_BAD_NAME, MESSAGE_TOO_LONG
 */
export function writeData(writer: MessageWriter, data: RecordData): void {
  switch (data.type) {
    case 'A':
      return writer.bytes(ipv4Octets(data.address));
    case 'AAAA':
      return writer.bytes(ipv6Octets(data.address));
    case 'NS':
    case 'CNAME':
    case 'PTR':
      return writer.text(data.target);
    case 'SRV':
      for (const value of [data.priority, data.weight, data.port]) writer.u16(value);
      return writer.text(data.target, { compress: false });
    case 'TXT':
      return writeStrings(writer, data.strings);
    case 'SOA':
      writer.text(data.primary);
      writer.text(data.mailbox);
      for (const value of [data.serial, data.refresh, data.retry, data.expire, data.minimum]) writer.u32(value);
      return;
    case 'OPAQUE':
      return writer.bytes(data.octets);
  }
}

/** RFC 1035 3.3.14: one string at least. */
function writeStrings(writer: MessageWriter, strings: readonly Uint8Array[]): void {
  for (const string of strings.length === 0 ? [new Uint8Array()] : strings) {
    if (string.length > 255) throw badRecord('TXT', 'a string is longer than 255 octets');
    writer.u8(string.length);
    writer.bytes(string);
  }
}

function ipv4Octets(address: string): Uint8Array {
  if (!isIPv4(address)) throw badRecord('A', `${JSON.stringify(address)} is no IPv4 address`);
  return Uint8Array.from(address.split('.'), Number);
}

function ipv6Octets(address: string): Uint8Array {
  if (!isIPv6(address) || address.includes('%'))
    throw badRecord('AAAA', `${JSON.stringify(address)} is no IPv6 address`);
  return Uint8Array.from(ipaddr.IPv6.parse(address).toByteArray());
}

/**
 * Reads the RDATA that stands in `message` from `start` to `end`. Types that drover does not know stay opaque.
 *
 * @throws MESSAGE_MALFORMED
 */
export function readData(message: Uint8Array, type: number, start: number, end: number): RecordData {
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  switch (type) {
    case TYPE.A:
      expectLength(start, end, 4);
      return { type: 'A', address: message.subarray(start, end).join('.') };
    case TYPE.AAAA:
      expectLength(start, end, 16);
      return { type: 'AAAA', address: ipaddr.fromByteArray([...message.subarray(start, end)]).toString() };
    case TYPE.NS:
      return { type: 'NS', target: onlyName(message, start, end) };
    case TYPE.CNAME:
      return { type: 'CNAME', target: onlyName(message, start, end) };
    case TYPE.PTR:
      return { type: 'PTR', target: onlyName(message, start, end) };
    case TYPE.SRV:
      return readService(message, view, start, end);
    case TYPE.TXT:
      return { type: 'TXT', strings: readStrings(message, start, end) };
    case TYPE.SOA:
      return readAuthority(message, view, start, end);
    default:
      return { type: 'OPAQUE', code: type, octets: new Uint8Array(message.subarray(start, end)) };
  }
}

function readService(message: Uint8Array, view: DataView, start: number, end: number): RecordData {
  if (end - start < 7) throw malformedMessage('an SRV record is too short', start);
  const [priority, weight, port] = [view.getUint16(start), view.getUint16(start + 2), view.getUint16(start + 4)];
  return { type: 'SRV', priority, weight, port, target: onlyName(message, start + 6, end) };
}

function readAuthority(message: Uint8Array, view: DataView, start: number, end: number): RecordData {
  const primary = readName(message, start);
  const mailbox = readName(message, primary.end);
  const at = mailbox.end;
  expectLength(at, end, 20);
  return {
    type: 'SOA',
    primary: formatName(primary.labels),
    mailbox: formatName(mailbox.labels),
    serial: view.getUint32(at),
    refresh: view.getUint32(at + 4),
    retry: view.getUint32(at + 8),
    expire: view.getUint32(at + 12),
    minimum: view.getUint32(at + 16),
  };
}

function readStrings(message: Uint8Array, start: number, end: number): Uint8Array[] {
  const strings: Uint8Array[] = [];
  for (let at = start; at < end;) {
    const next = at + 1 + (message[at] as number);
    if (next > end) throw malformedMessage('a string runs over its record', at);
    strings.push(new Uint8Array(message.subarray(at + 1, next)));
    at = next;
  }
  if (strings.length === 0) throw malformedMessage('a TXT record without a string', start);
  return strings;
}

function onlyName(message: Uint8Array, start: number, end: number): string {
  const name = readName(message, start);
  if (name.end !== end) throw malformedMessage('a name does not end with its record', start);
  return formatName(name.labels);
}

function expectLength(start: number, end: number, octets: number): void {
  if (end - start !== octets) throw malformedMessage(`${end - start} octets where ${octets} belong`, start);
}
