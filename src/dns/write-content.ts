import type { Labels, NamePointer, ResourceRecord } from '../message/index.ts';
import {
  CLASS,
  HEADER_OCTETS,
  MessageWriter,
  foldCase,
  formatName,
  nameOctets,
  parseName,
  writeRecord,
} from '../message/index.ts';
import type { Item } from './found.ts';

/** All that is written is cut to a message's size later; this only bounds the memory. */
const MOST_OCTETS = 16 << 20;
/** From an SOA record's serial to its end. */
const SERIAL_OCTETS = 20;

/** The three sections of an answer. */
export interface Content {
  readonly items: readonly Item[];
  readonly authorities: readonly ResourceRecord[];
  /** Beside those of the items. */
  readonly additionals: readonly ResourceRecord[];
}

/** Content in octets; positions count from where the question ends. */
export interface Written {
  /** Of the whole message, header and question included; may be more than a message can have. */
  readonly octets: number;
  readonly body: Uint8Array;
  readonly counts: readonly [number, number, number];
  readonly serials: readonly number[];
  readonly spellings: readonly { readonly at: number; readonly octets: number }[];
  /** Where each record of ANSWER starts, and where the last one ends. */
  readonly starts: readonly number[];
  /** By number of items: octets of the additional records that so many bring. */
  readonly extraEnds: readonly number[];
  /** Positions in the message. */
  readonly pointers: readonly NamePointer[];
}

/** Writes an answer's sections behind the question `name` (lower case) of `type`. Records that occur twice are written once. */
export function writeContent(content: Content, name: Labels, type: number, compress: boolean): Written {
  const writer = new MessageWriter({ compress, mostOctets: MOST_OCTETS });
  writer.bytes(new Uint8Array(HEADER_OCTETS));
  writer.name(name);
  writer.u16(type);
  writer.u16(CLASS.IN);
  const start = writer.length;
  const at = (): number => writer.length - start;
  const serials: number[] = [];
  const spellings: { at: number; octets: number }[] = [];
  const question = formatName(name);
  const put = (record: ResourceRecord): void => {
    if (!compress && isEnding(record.name, question))
      spellings.push({ at: at(), octets: nameOctets(parseName(record.name)) });
    writeRecord(writer, record);
    if (record.data.type === 'SOA') serials.push(at() - SERIAL_OCTETS);
  };
  const starts = [0];
  for (const { record } of content.items) {
    put(record);
    starts.push(at());
  }
  for (const record of content.authorities) put(record);
  const extraStart = at();
  const extraEnds = [0];
  const seen = new Set<string>();
  const putOnce = (record: ResourceRecord): void => {
    const size = seen.size;
    if (seen.add(identity(record)).size > size) put(record);
  };
  for (const { additionals } of content.items) {
    for (const record of additionals) putOnce(record);
    extraEnds.push(at() - extraStart);
  }
  for (const record of content.additionals) putOnce(record);
  const counts = [content.items.length, content.authorities.length, seen.size] as const;
  const body = writer.take().subarray(start);
  return { octets: writer.length, body, counts, serials, spellings, starts, extraEnds, pointers: writer.pointers };
}

const isEnding = (name: string, question: string): boolean =>
  name === question || (foldCase(name) === name && question.endsWith(`.${name}`));

/** Targets on one node share its addresses and meta. */
function identity({ name, data }: ResourceRecord): string {
  if ('address' in data) return `${name} ${data.address}`;
  if (data.type !== 'TXT') return `${name} ${data.type}`;
  return `${name} TXT ${data.strings.map((string) => Buffer.from(string).toString('latin1')).join('\0')}`;
}
