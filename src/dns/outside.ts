import type { ResourceRecord } from '../message/index.ts';
import { CLASS, HEADER_OCTETS, RCODE, TYPE, decodeMessage, nameOctets, parseName } from '../message/index.ts';
import type { Found } from './found.ts';
import { item } from './found.ts';
import type { Query } from './query.ts';
import type { AskOptions, Recursion } from './recursion.ts';
import { toAsker, upstreamQuery } from './upstream.ts';

/** Records that are put behind a CNAME for a resolver without EDNS (`consul-dns.md` 4). */
const MOST_PLAIN_RECORDS = 5;
const WHOLE = { overTcp: false, mostOctets: 65_535 } as const;

/** A recursor's answer to a query that came in, fit for its asker; null when none answers. `bytes` are held until then. */
export async function forward(
  recursion: Recursion,
  bytes: Buffer,
  query: Query,
  how: AskOptions,
): Promise<Uint8Array | null> {
  const answer = await recursion.ask(upstreamQuery(bytes, query), how);
  return answer === null ? null : toAsker(answer, bytes, query, how.mostOctets);
}

/** An answer that leads outside, with what recursors say is there, in their order and with the TTL of the CNAME. */
export async function withOutside(recursion: Recursion, result: Found, query: Query): Promise<Found> {
  const records = await addressesOf(recursion, result.outside as string, query.type);
  const some = query.edns === null ? records.slice(0, MOST_PLAIN_RECORDS) : records;
  const ttl = result.items.at(-1)?.record.ttl ?? 0;
  return { ...result, items: [...result.items, ...some.map((record) => item({ ...record, ttl }))] };
}

/** The addresses of a name and the host names that lead there; IPv4 where any type is asked for, as Consul has it. */
async function addressesOf(recursion: Recursion, name: string, type: number): Promise<ResourceRecord[]> {
  const answer = await recursion.ask(addressQuery(name, type === TYPE.AAAA ? TYPE.AAAA : TYPE.A), WHOLE);
  if (answer === null) return [];
  try {
    const { rcode, answers } = decodeMessage(answer);
    return rcode === RCODE.NOERROR ? answers.filter(({ data }) => FOLLOWED.has(data.type)) : [];
  } catch {
    // What a recursor says badly is as good as nothing.
    return [];
  }
}

const FOLLOWED: ReadonlySet<string> = new Set(['A', 'AAAA', 'CNAME']);

function addressQuery(name: string, type: number): Buffer {
  const labels = parseName(name);
  const end = HEADER_OCTETS + nameOctets(labels) + 4;
  const bytes = Buffer.alloc(end);
  bytes[2] = 1;
  let at = HEADER_OCTETS;
  for (const label of labels) {
    bytes[at] = label.length;
    at += 1 + bytes.write(label, at + 1, 'latin1');
  }
  bytes.writeUInt16BE(type, at + 1);
  bytes.writeUInt16BE(CLASS.IN, at + 3);
  const edns = { udpOctets: 1_232, version: 0, dnssecOk: false, subnet: null };
  return upstreamQuery(bytes, { name: '', type, class: CLASS.IN, end, edns });
}
