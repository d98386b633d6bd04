import { parseDnsOptions } from '../dns/index.ts';
import type { AgentConfig } from './config/config.ts';

/** How DNS answers by the agent's configuration. `server` is the name of the agent's first node. */
export function dnsOptionsOf(
  config: Pick<AgentConfig, 'domain' | 'altDomain' | 'datacenter' | 'legacy' | 'dnsConfig'>,
  server: string,
): ReturnType<typeof parseDnsOptions> {
  const { nodeTtlMs, serviceTtlMs, recursors = [], ...others } = config.dnsConfig;
  const seconds = (ms: number): number => Math.floor(ms / 1_000);
  return parseDnsOptions({
    ...others,
    recursors: [...recursors],
    domain: config.domain,
    altDomain: config.altDomain,
    datacenter: config.datacenter,
    legacy: config.legacy,
    servers: [server],
    ...(nodeTtlMs === undefined ? {} : { nodeTtl: seconds(nodeTtlMs) }),
    ...(serviceTtlMs === undefined
      ? {}
      : { serviceTtl: Object.fromEntries(Object.entries(serviceTtlMs).map(([name, ms]) => [name, seconds(ms)])) }),
  });
}
