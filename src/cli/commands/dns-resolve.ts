import type { SrvRecord } from 'node:dns';
import { isIP } from 'node:net';
import { reverseName } from '../../lib/index.ts';
import type { Command } from '../command.ts';
import { dnsFailed, noDns, noSuchName } from '../errors.ts';

const TYPES = ['A', 'AAAA', 'SRV', 'TXT', 'PTR', 'NS', 'SOA'] as const;
/** What c-ares says when the name, or this type of it, is not there. */
const ABSENT: ReadonlyMap<unknown, string> = new Map([
  ['ENOTFOUND', 'there is no such name'],
  ['ENODATA', 'the name has no such record'],
]);

/** Names whose answers say a port. */
const WITH_PORTS = /\.(?:service|query)\.|^_/i;

/** Asks the agent's DNS for a name, or whose an address is. */
export const dnsResolve: Command = {
  usage: 'dns:resolve <name>',
  summary: 'Ask the agent’s DNS for a name, or whose an address is',
  example: 'drover dns:resolve elasticsearch.service.consul --type SRV',
  options: [
    {
      flags: '--type <type>',
      text: 'default SRV for a service or prepared query, PTR for an address, else A',
      value: TYPES,
    },
  ],
  async run({ args, client, host, options, output }) {
    const [asked] = args as [string];
    const name = isIP(asked) === 0 ? asked : reverseName(asked);
    const type = (options['type'] as string | undefined) ?? usualType(name);
    const { dns } = await client.status();
    if (dns === null) throw noDns();
    const records = await host.resolveName(dns, name, type).catch((error: unknown) => {
      const { code } = error as NodeJS.ErrnoException;
      const absent = ABSENT.get(code);
      throw absent === undefined ? dnsFailed(name, type, dns, code ?? String(error)) : noSuchName(name, type, absent);
    });
    const list = Array.isArray(records) ? (records as unknown[]) : [records];
    output.data(list, list.map(sayRecord));
    return 0;
  },
};

function usualType(name: string): string {
  if (/\.(?:in-addr|ip6)\.arpa\.?$/i.test(name)) return 'PTR';
  return WITH_PORTS.test(name) ? 'SRV' : 'A';
}

/** A record as `dig +short` has it. */
function sayRecord(record: unknown): string {
  if (typeof record === 'string') return record;
  if (Array.isArray(record)) return (record as string[]).map((part) => JSON.stringify(part)).join(' ');
  const { priority, weight, port, name } = record as Partial<SrvRecord>;
  if (port !== undefined) return `${priority} ${weight} ${port} ${name}`;
  return Object.values(record as object).join(' ');
}
