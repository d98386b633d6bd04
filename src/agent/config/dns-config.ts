import { parseRecursor } from '../../dns/index.ts';
import { isLoopback } from '../../lib/index.ts';
import type { AgentConfig, DnsConfig } from './config.ts';
import type { ConfigInput } from './schema.ts';

/** The agent's words for Consul's `dns_config` and `recursors`; what is not said stays so. Pure. */
export function toDnsConfig(input: Pick<ConfigInput, 'dns_config' | 'recursor' | 'recursors'>): DnsConfig {
  const { dns_config: given = {}, recursor, recursors = [] } = input;
  const { soa } = given;
  const all = [...new Set([...(recursor === undefined ? [] : [recursor]), ...recursors])];
  return withoutUndefined({
    nodeTtlMs: given.node_ttl,
    serviceTtlMs: given.service_ttl,
    onlyPassing: given.only_passing,
    udpAnswerLimit: given.udp_answer_limit,
    aRecordLimit: given.a_record_limit,
    enableTruncate: given.enable_truncate,
    disableCompression: given.disable_compression,
    nodeMetaTxt: given.enable_additional_node_meta_txt,
    recursors: all.length === 0 ? undefined : all,
    recursorStrategy: given.recursor_strategy,
    recursorTimeoutMs: given.recursor_timeout,
    soa:
      soa === undefined
        ? undefined
        : withoutUndefined({ refresh: soa.refresh, retry: soa.retry, expire: soa.expire, minTtl: soa.min_ttl }),
  }) as DnsConfig;
}

/** What an operator must hear about recursors: strangers whose questions they answer, and that nobody asks himself. Pure. */
export function recursorWarnings({ dns, dnsConfig }: Pick<AgentConfig, 'dns' | 'dnsConfig'>): string[] {
  const { recursors = [] } = dnsConfig;
  if (recursors.length === 0 || dns.port < 0) return [];
  const open = dns.addresses.filter((address) => !isLoopback(address)).join(', ');
  const own = recursors.filter((text) => {
    const recursor = parseRecursor(text);
    return recursor !== null && recursor.port === dns.port && dns.addresses.includes(recursor.address);
  });
  return [
    ...(open === ''
      ? []
      : [
          `DNS answers on ${open} and asks recursors: whoever reaches it can ask about any name, or have others flooded`,
        ]),
    ...own.map((text) => `recursors: ${text} is where this agent answers itself; it is never asked`),
  ];
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
