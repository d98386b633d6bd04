import type { Edns } from './edns.ts';
import { readEdnsOptions, writeEdns } from './edns.ts';
import { malformedMessage } from './errors.ts';
import { MessageWriter } from './message-writer.ts';
import { formatName } from './name.ts';
import { readName } from './name-reader.ts';
import { CLASS, HEADER_OCTETS, TYPE } from './numbers.ts';
import { readData, typeNumber, writeData } from './rdata.ts';
import type { Question, ResourceRecord } from './record.ts';

/** A whole DNS message. `rcode` includes the upper bits that EDNS carries. */
export interface DnsMessage {
  readonly id: number;
  readonly response: boolean;
  readonly opcode: number;
  readonly authoritative: boolean;
  readonly truncated: boolean;
  readonly recursionDesired: boolean;
  readonly recursionAvailable: boolean;
  readonly authenticData: boolean;
  readonly checkingDisabled: boolean;
  readonly rcode: number;
  readonly questions: readonly Question[];
  readonly answers: readonly ResourceRecord[];
  readonly authorities: readonly ResourceRecord[];
  readonly additionals: readonly ResourceRecord[];
  readonly edns: Edns | null;
}

/**
 * A message as it goes over the wire.
 *
 * @throws MESSAGE_BAD_NAME, MESSAGE_BAD_RECORD, MESSAGE_TOO_LONG
 */
export function encodeMessage(
  message: DnsMessage,
  options: { readonly compress?: boolean } = {},
): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter({ compress: options.compress ?? true });
  writer.u16(message.id);
  writer.u16(flagsOf(message));
  writer.u16(message.questions.length);
  writer.u16(message.answers.length);
  writer.u16(message.authorities.length);
  writer.u16(message.additionals.length + (message.edns === null ? 0 : 1));
  for (const question of message.questions) {
    writer.text(question.name);
    writer.u16(question.type);
    writer.u16(question.class);
  }
  for (const section of [message.answers, message.authorities, message.additionals])
    for (const record of section) writeRecord(writer, record);
  if (message.edns !== null) writeEdns(writer, message.edns, message.rcode);
  return writer.take();
}

/** Writes one record with its length. */
export function writeRecord(writer: MessageWriter, record: ResourceRecord): void {
  writer.text(record.name);
  writer.u16(typeNumber(record.data));
  writer.u16(record.class ?? CLASS.IN);
  writer.u32(record.ttl);
  writer.u16(0);
  const start = writer.length;
  writeData(writer, record.data);
  writer.patchU16(start - 2, writer.length - start);
}

function flagsOf(message: DnsMessage): number {
  const bit = (set: boolean, position: number): number => (set ? 1 << position : 0);
  return (
    bit(message.response, 15) |
    ((message.opcode & 15) << 11) |
    bit(message.authoritative, 10) |
    bit(message.truncated, 9) |
    bit(message.recursionDesired, 8) |
    bit(message.recursionAvailable, 7) |
    bit(message.authenticData, 5) |
    bit(message.checkingDisabled, 4) |
    (message.rcode & 15)
  );
}

/**
 * Reads a whole message. What follows the last record is ignored; every count and length is checked against the octets
 * there are, so the work is bounded by the message's size.
 *
 * @throws MESSAGE_MALFORMED
 */
export function decodeMessage(bytes: Uint8Array): DnsMessage {
  if (bytes.length < HEADER_OCTETS) throw malformedMessage('shorter than a header', bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const flags = view.getUint16(2);
  const cursor = { at: HEADER_OCTETS };
  const questions = times(view.getUint16(4), () => readQuestion(bytes, view, cursor));
  const answers = times(view.getUint16(6), () => readRecord(bytes, view, cursor));
  const authorities = times(view.getUint16(8), () => readRecord(bytes, view, cursor));
  const additionals = times(view.getUint16(10), () => readRecord(bytes, view, cursor));
  const opts = additionals.filter((record) => 'udpOctets' in record);
  if (opts.length > 1) throw malformedMessage('more than one OPT record', cursor.at);
  const opt = opts[0];
  return {
    id: view.getUint16(0),
    response: (flags & 0x8000) !== 0,
    opcode: (flags >> 11) & 15,
    authoritative: (flags & 0x400) !== 0,
    truncated: (flags & 0x200) !== 0,
    recursionDesired: (flags & 0x100) !== 0,
    recursionAvailable: (flags & 0x80) !== 0,
    authenticData: (flags & 0x20) !== 0,
    checkingDisabled: (flags & 0x10) !== 0,
    rcode: (flags & 15) | ((opt?.rcodeHigh ?? 0) << 4),
    questions,
    answers: answers.filter(isRecord),
    authorities: authorities.filter(isRecord),
    additionals: additionals.filter(isRecord),
    edns: opt === undefined ? null : ednsOf(opt),
  };
}

interface OptRecord extends Edns {
  readonly rcodeHigh: number;
}

const isRecord = (one: ResourceRecord | OptRecord): one is ResourceRecord => 'data' in one;

function ednsOf({ udpOctets, version, dnssecOk, options }: OptRecord): Edns {
  return { udpOctets, version, dnssecOk, options };
}

/** Counts come from the wire: nothing is allocated before its octets are seen. */
function times<T>(count: number, read: () => T): T[] {
  const found: T[] = [];
  for (let index = 0; index < count; index++) found.push(read());
  return found;
}

function readQuestion(bytes: Uint8Array, view: DataView, cursor: { at: number }): Question {
  const name = readName(bytes, cursor.at);
  if (name.end + 4 > bytes.length) throw malformedMessage('a question runs over the end', name.end);
  cursor.at = name.end + 4;
  return { name: formatName(name.labels), type: view.getUint16(name.end), class: view.getUint16(name.end + 2) };
}

function readRecord(bytes: Uint8Array, view: DataView, cursor: { at: number }): ResourceRecord | OptRecord {
  const name = readName(bytes, cursor.at);
  const at = name.end;
  if (at + 10 > bytes.length) throw malformedMessage('a record runs over the end', at);
  const start = at + 10;
  const end = start + view.getUint16(at + 8);
  if (end > bytes.length) throw malformedMessage('a record runs over the end', at);
  cursor.at = end;
  const type = view.getUint16(at);
  if (type === TYPE.OPT) return readOpt(bytes, view, name.labels.length, at, end);
  return {
    name: formatName(name.labels),
    class: view.getUint16(at + 2),
    ttl: view.getUint32(at + 4),
    data: readData(bytes, type, start, end),
  };
}

function readOpt(bytes: Uint8Array, view: DataView, labels: number, at: number, end: number): OptRecord {
  if (labels > 0) throw malformedMessage('an OPT record with a name', at);
  return {
    udpOctets: view.getUint16(at + 2),
    rcodeHigh: view.getUint8(at + 4),
    version: view.getUint8(at + 5),
    dnssecOk: (view.getUint16(at + 6) & 0x8000) !== 0,
    options: readEdnsOptions(bytes, at + 10, end),
  };
}
