/** The messages of `grpc.health.v1.Health/Check`: one text field out, one enum in (decision 143). Pure. */

const PREFIX_BYTES = 5;
/** Protobuf: field 1, length-delimited. */
const SERVICE_TAG = 0x0a;
const STATUS_FIELD = 1;
const STATUSES = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;

/** What a server says of a service. */
export type ServingStatus = (typeof STATUSES)[number];

/** The request for one service, in its frame: not compressed, length, message. */
export function encodeHealthRequest(service: string): Buffer {
  const name = Buffer.from(service);
  const message = name.length === 0 ? name : Buffer.concat([Buffer.from([SERVICE_TAG, ...varint(name.length)]), name]);
  const prefix = Buffer.alloc(PREFIX_BYTES);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

/** The status in a framed answer; null when it is not a whole, uncompressed health response. */
export function decodeHealthResponse(frame: Buffer): ServingStatus | null {
  if (frame.length < PREFIX_BYTES || frame[0] !== 0) return null;
  const message = frame.subarray(PREFIX_BYTES);
  if (message.length !== frame.readUInt32BE(1)) return null;
  let status = 0;
  for (let at = 0; at < message.length;) {
    const field = readField(message, at);
    if (field === null) return null;
    if (field.number === STATUS_FIELD && field.value !== null) status = field.value;
    at = field.end;
  }
  return STATUSES[status] ?? 'UNKNOWN';
}

interface Field {
  readonly number: number;
  /** null for a field that is no varint. */
  readonly value: number | null;
  readonly end: number;
}

function readField(message: Buffer, at: number): Field | null {
  const tag = readVarint(message, at);
  if (tag === null) return null;
  const number = Math.floor(tag.value / 8);
  const next = valueAt(message, tag.end, tag.value % 8);
  return next === null || next.end > message.length ? null : { number, ...next };
}

/** Wire types 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes; groups are not of this message. */
function valueAt(message: Buffer, at: number, wireType: number): { value: number | null; end: number } | null {
  if (wireType === 0) return readVarint(message, at);
  if (wireType === 1) return { value: null, end: at + 8 };
  if (wireType === 5) return { value: null, end: at + 4 };
  const length = wireType === 2 ? readVarint(message, at) : null;
  return length === null ? null : { value: null, end: length.end + length.value };
}

function readVarint(message: Buffer, at: number): { value: number; end: number } | null {
  let value = 0;
  for (let index = 0; index < 10; index++) {
    const byte = message[at + index];
    if (byte === undefined) return null;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: at + index + 1 };
  }
  return null;
}

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
