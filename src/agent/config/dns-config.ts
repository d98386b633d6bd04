import type { DnsConfig } from './config.ts';
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

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
