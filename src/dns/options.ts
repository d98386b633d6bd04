import { z } from 'zod';
import { parseDuration } from '../lib/index.ts';
import { formatName, foldCase, parseName } from '../message/index.ts';
import { badOptions } from './errors.ts';
import { parseRecursor } from './recursor-address.ts';

const seconds = z.union([z.number().int().min(0), z.string()]).transform((value, context) => {
  try {
    const whole = typeof value === 'number' ? value : Math.floor(parseDuration(value) / 1_000);
    if (whole >= 0 && whole < 2 ** 31) return whole;
  } catch {
    // Said below in the words of the field.
  }
  context.addIssue({
    code: 'custom',
    message: `${JSON.stringify(value)} is no TTL: write 10s, 1m or a number of seconds`,
  });
  return z.NEVER;
});

const domainName = z.string().transform((text, context) => {
  try {
    return foldCase(formatName(parseName(text)));
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});

const recursor = z.string().transform((text, context) => {
  const parsed = parseRecursor(text);
  if (parsed !== null) return parsed;
  const message = `${JSON.stringify(text)} is no resolver: write 192.0.2.1, 192.0.2.1:53 or [fd00::1]:53`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const soa = z.strictObject({
  refresh: seconds.default(3_600).describe('SOA refresh'),
  retry: seconds.default(600).describe('SOA retry'),
  expire: seconds.default(86_400).describe('SOA expire'),
  minTtl: seconds.default(0).describe('How long a "no" may be kept: TTL of the SOA record and its minimum'),
});

const schema = z.strictObject({
  domain: domainName.default('consul.').describe('The zone that is answered'),
  altDomain: domainName.nullable().default(null).describe('A second zone with the same content'),
  datacenter: z.string().min(1).describe('The region, as it stands in names: <node>.node.<datacenter>.consul'),
  federation: z.string().nullable().default(null).describe('Answer only with nodes of this federation; null = of all'),
  servers: z.array(z.string()).default([]).describe('Nodes named as name servers of the zone'),
  nodeTtl: seconds.default(0).describe('TTL of node, address, NS and PTR records'),
  serviceTtl: z
    .record(z.string(), seconds)
    .default({})
    .describe('TTL of service records by name: exact, then the longest `prefix*`, then `*`'),
  udpAnswerLimit: z
    .number()
    .int()
    .min(1)
    .default(3)
    .describe('Most answers over UDP to a resolver without EDNS (8 at most)'),
  aRecordLimit: z.number().int().min(0).default(0).describe('Most A or AAAA answers; 0 = no limit'),
  onlyPassing: z.boolean().default(false).describe('Leave out instances with a warning'),
  disableCompression: z.boolean().default(false).describe('Spell out every name'),
  nodeMetaTxt: z.boolean().default(true).describe("Send a node's meta as TXT along with its address"),
  enableTruncate: z.boolean().optional().describe('Set TC when answers were left out; by default unless legacy'),
  legacy: z
    .boolean()
    .default(false)
    .describe("Consul's ways: uniform order, no TC, an empty NOERROR when nothing is healthy"),
  soa: soa.prefault({}),
  recursors: z.array(recursor).default([]).describe('Resolvers that are asked about names outside the zone'),
  recursorStrategy: z
    .enum(['sequential', 'random'])
    .default('sequential')
    .describe('Which is asked first: always the first one, or any'),
  recursorTimeoutMs: z.number().min(1).default(2_000).describe('How long one of them may take, in ms'),
});

/** What an operator may say about DNS; TTLs in Go's notation (`10s`) or whole seconds. Only `datacenter` has no default. */
export type DnsInput = z.input<typeof schema>;

/** {@link DnsInput} with every default filled in: TTLs in whole seconds, domains in lower case with their last dot. */
export type DnsOptions = Readonly<z.output<typeof schema>> & { readonly enableTruncate: boolean };

/**
 * Checks and completes the options.
 *
 * @throws DNS_BAD_OPTIONS
 */
export function parseDnsOptions(input: DnsInput): DnsOptions {
  const parsed = schema.safeParse(input);
  if (!parsed.success) throw badOptions(z.prettifyError(parsed.error));
  if (parsed.data.domain === '.' || parsed.data.altDomain === '.') throw badOptions('the root cannot be the domain');
  return Object.freeze({ ...parsed.data, enableTruncate: parsed.data.enableTruncate ?? !parsed.data.legacy });
}

/** Seconds that answers about a service may be kept: its own entry, the longest `prefix*`, `*`, else 0. */
export function serviceTtl(options: DnsOptions, service: string): number {
  // A service may be called `constructor`.
  const exact = Object.hasOwn(options.serviceTtl, service) ? options.serviceTtl[service] : undefined;
  if (exact !== undefined) return exact;
  let best = '';
  for (const pattern of Object.keys(options.serviceTtl))
    if (pattern.endsWith('*') && pattern.length > best.length && service.startsWith(pattern.slice(0, -1)))
      best = pattern;
  return options.serviceTtl[best] ?? 0;
}
