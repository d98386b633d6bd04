import {
  CLASS,
  CLIENT_SUBNET,
  HEADER_OCTETS,
  OPCODE,
  RCODE,
  TYPE,
  echoClientSubnet,
  foldCase,
} from '../message/index.ts';

/** More records than any honest query carries beside its question. */
const MAX_ADDITIONALS = 8;
const MIN_UDP_OCTETS = 512;

/** What a query asks, read without allocating more than its name. */
export interface Query {
  /** The name as on the wire, ASCII letters in lower case, without the root's zero; one character an octet. */
  readonly name: string;
  readonly type: number;
  readonly class: number;
  /** Where the question ends. */
  readonly end: number;
  /** How the client extends the message, or null without EDNS. */
  readonly edns: QueryEdns | null;
}

export interface QueryEdns {
  /** What it takes over UDP, 512 at least. */
  readonly udpOctets: number;
  readonly version: number;
  /** It wants signatures along (RFC 3225). */
  readonly dnssecOk: boolean;
  /** Its subnet option, as it is sent back. */
  readonly subnet: Uint8Array | null;
}

/**
 * Reads a query. A number is the response code to refuse it with; null means that no answer must be sent: it is no query,
 * and answering answers could go on for ever.
 */
export function readQuery(bytes: Buffer): Query | number | null {
  if (bytes.length < HEADER_OCTETS || (bytes[2] as number) >= 0x80) return null;
  if ((((bytes[2] as number) >> 3) & 15) !== OPCODE.QUERY) return RCODE.NOTIMP;
  // One question, no answers, no authority: what else a query could mean is defined nowhere (RFC 9619).
  if (bytes.readUInt32BE(4) !== 0x0001_0000 || bytes[8] !== 0 || bytes[9] !== 0) return RCODE.FORMERR;
  const nameEnd = scanName(bytes);
  const zero = Math.abs(nameEnd);
  if (nameEnd === 0 || zero + 5 > bytes.length) return RCODE.FORMERR;
  const spelled = bytes.toString('latin1', HEADER_OCTETS, zero);
  const edns = readAdditionals(bytes, zero + 5);
  if (typeof edns === 'number') return edns;
  return {
    name: nameEnd < 0 ? foldCase(spelled) : spelled,
    type: bytes.readUInt16BE(zero + 1),
    class: bytes.readUInt16BE(zero + 3),
    end: zero + 5,
    edns,
  };
}

/** Where the question's name ends (its zero octet), negative when it has capital letters, 0 when it is malformed. */
function scanName(bytes: Buffer): number {
  let at = HEADER_OCTETS;
  let capitals = false;
  for (;;) {
    const length = bytes[at];
    if (length === undefined || length > 63) return 0;
    if (length === 0) return capitals ? -at : at;
    const end = at + 1 + length;
    if (end > HEADER_OCTETS + 254 || end >= bytes.length) return 0;
    for (let index = at + 1; index < end; index++) {
      const octet = bytes[index] as number;
      if (octet >= 65 && octet <= 90) capitals = true;
    }
    at = end;
  }
}

/** The OPT record among the additional ones; a response code when they are malformed. */
function readAdditionals(bytes: Buffer, start: number): QueryEdns | number | null {
  const count = bytes.readUInt16BE(10);
  if (count > MAX_ADDITIONALS) return RCODE.FORMERR;
  let found: QueryEdns | null = null;
  let at = start;
  for (let index = 0; index < count; index++) {
    const fixed = skipName(bytes, at);
    if (fixed === 0 || fixed + 10 > bytes.length) return RCODE.FORMERR;
    const end = fixed + 10 + bytes.readUInt16BE(fixed + 8);
    if (end > bytes.length) return RCODE.FORMERR;
    if (bytes.readUInt16BE(fixed) === TYPE.OPT) {
      if (found !== null || fixed !== at + 1) return RCODE.FORMERR;
      found = readOpt(bytes, fixed, end);
      if (found === null) return RCODE.FORMERR;
    }
    at = end;
  }
  return found;
}

function readOpt(bytes: Buffer, at: number, end: number): QueryEdns | null {
  const udpOctets = Math.max(MIN_UDP_OCTETS, bytes.readUInt16BE(at + 2));
  let subnet: Uint8Array | null = null;
  for (let option = at + 10; option < end;) {
    if (option + 4 > end) return null;
    const next = option + 4 + bytes.readUInt16BE(option + 2);
    if (next > end) return null;
    if (bytes.readUInt16BE(option) === CLIENT_SUBNET) {
      subnet = echoClientSubnet(bytes.subarray(option + 4, next));
      if (subnet === null) return null;
    }
    option = next;
  }
  const dnssecOk = (bytes[at + 6] as number) >= 0x80;
  return { udpOctets, version: bytes[at + 5] as number, dnssecOk, subnet };
}

/** Where a name ends that may end in a compression pointer; 0 when it is malformed. */
function skipName(bytes: Buffer, start: number): number {
  for (let at = start; at < bytes.length;) {
    const length = bytes[at] as number;
    if (length === 0) return at + 1;
    if (length >= 0xc0) return at + 2;
    if (length > 63) return 0;
    at += 1 + length;
  }
  return 0;
}

/** Classes that mean the Internet's records. */
export const isInternet = (questionClass: number): boolean => questionClass === CLASS.IN || questionClass === CLASS.ANY;

/** The labels of a name as {@link Query} holds it. */
export function labelsOf(wireName: string): string[] {
  const labels: string[] = [];
  for (let at = 0; at < wireName.length;) {
    const end = at + 1 + wireName.charCodeAt(at);
    labels.push(wireName.slice(at + 1, end));
    at = end;
  }
  return labels;
}
