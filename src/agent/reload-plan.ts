import { isDeepStrictEqual } from 'node:util';
import type { AgentConfig, NodeConfig } from './config/config.ts';

/** What becomes of one node when the configuration is read again. */
export type NodeStep =
  | { readonly type: 'change' | 'restart' | 'add'; readonly config: NodeConfig }
  | { readonly type: 'leave'; readonly name: string };

/** What DNS takes up without a restart. */
export type DnsSettings = Pick<AgentConfig, 'domain' | 'altDomain' | 'dnsConfig'>;

/** What a reload does, and what it cannot do without a restart. */
export interface ReloadPlan {
  readonly steps: readonly NodeStep[];
  /** How DNS answers from now on; null when as before. */
  readonly dns: DnsSettings | null;
  readonly warnings: readonly string[];
}

/** Parts of a node that its consumers are started with: another value needs other consumers. */
const STARTED_WITH = ['balancer', 'environment', 'provision'] as const satisfies readonly (keyof NodeConfig)[];

/** Settings of the whole process, by the words of the configuration. */
const FIXED: Readonly<Partial<Record<keyof AgentConfig, string>>> = {
  datacenter: 'datacenter',
  dataDirectory: 'data_dir',
  dev: '--dev',
  server: 'server',
  store: 'store',
  etcd: 'etcd',
  snapshots: 'snapshots',
  http: 'ports.http, the addresses of HTTP, http_config or limits',
  pidFile: 'pid_file',
  join: 'retry_join or start_join',
  sessionTtlMinMs: 'session_ttl_min',
  dns: 'ports.dns or the address of DNS',
  legacy: 'legacy',
  timing: 'timing',
  scripts: 'enable_script_checks or enable_local_script_checks',
};

const ACL_WARNING = 'acl is another now: its tokens are taken up, for the rest restart the agent';

/** Without the agent's own tokens, which a reload takes up. */
function aclSettings({ acl }: AgentConfig): object {
  return { ...acl, tokens: {} };
}

/** What it takes to get from one configuration to another while the agent runs. Pure. */
export function planReload(before: AgentConfig, after: AgentConfig): ReloadPlan {
  const [first] = before.nodes;
  const running = new Map(before.nodes.map((node) => [node.name, node]));
  const wanted = new Set(after.nodes.map((node) => node.name));
  const gone = before.nodes.filter((node) => !wanted.has(node.name) && node !== first);
  const steps = [
    ...gone.map(({ name }): NodeStep => ({ type: 'leave', name })),
    ...after.nodes.flatMap((node) => stepOf(running.get(node.name), node)),
  ];
  const fixed = Object.entries(FIXED) as [keyof AgentConfig, string][];
  const changed = fixed.filter(([key]) => !isDeepStrictEqual(before[key], after[key])).map(([, words]) => words);
  return {
    steps,
    dns: isDeepStrictEqual(dnsSettings(before), dnsSettings(after)) ? null : dnsSettings(after),
    warnings: [
      ...(isDeepStrictEqual(aclSettings(before), aclSettings(after)) ? [] : [ACL_WARNING]),
      ...changed.map((words) => `${words} is another now: restart the agent to take that up`),
      ...(first !== undefined && after.nodes[0]?.name !== first.name
        ? [`the agent’s first node stays "${first.name}", which has the agent API: restart the agent to take that up`]
        : []),
    ],
  };
}

function dnsSettings({ domain, altDomain, dnsConfig }: AgentConfig): DnsSettings {
  return { domain, altDomain, dnsConfig };
}

function stepOf(running: NodeConfig | undefined, wanted: NodeConfig): NodeStep[] {
  if (running === undefined) return [{ type: 'add', config: wanted }];
  if (isDeepStrictEqual(running, wanted)) return [];
  const isSame = STARTED_WITH.every((key) => isDeepStrictEqual(running[key], wanted[key]));
  return [{ type: isSame ? 'change' : 'restart', config: wanted }];
}
