import type { AgentFlags } from '../../agent/index.ts';
import { usageError } from '../errors.ts';
import { parseGoFlags, type FlagKind, type FlagValue } from './go-flags.ts';

/** Flags that drover's agent has itself, by its name for them. */
const OWN: Readonly<Record<string, readonly [FlagKind, keyof AgentFlags]>> = {
  dev: ['flag', 'dev'],
  server: ['flag', 'server'],
  node: ['text', 'node'],
  datacenter: ['text', 'datacenter'],
  dc: ['text', 'datacenter'],
  domain: ['text', 'domain'],
  client: ['text', 'client'],
  'data-dir': ['text', 'dataDir'],
  'http-port': ['number', 'httpPort'],
  'dns-port': ['number', 'dnsPort'],
  'log-level': ['text', 'logLevel'],
  'enable-script-checks': ['flag', 'enableScriptChecks'],
  'config-file': ['list', 'configFile'],
  'config-dir': ['list', 'configDir'],
  // drover's own, which an operator may need in place of Consul's.
  legacy: ['flag', 'legacy'],
  store: ['text', 'store'],
  timing: ['text', 'timing'],
};

/** Flags that say what a key of the configuration says, by that key; a dot leads into a map. */
export const SETTINGS: Readonly<Record<string, readonly [FlagKind, key: string]>> = {
  advertise: ['text', 'advertise_addr'],
  'advertise-wan': ['text', 'advertise_addr_wan'],
  'allow-write-http-from': ['list', 'http_config.allow_write_http_from'],
  'alt-domain': ['text', 'alt_domain'],
  'auto-reload-config': ['flag', 'auto_reload_config'],
  bootstrap: ['flag', 'bootstrap'],
  'bootstrap-expect': ['number', 'bootstrap_expect'],
  'default-query-time': ['text', 'default_query_time'],
  'disable-host-node-id': ['flag', 'disable_host_node_id'],
  'disable-keyring-file': ['flag', 'disable_keyring_file'],
  'enable-local-script-checks': ['flag', 'enable_local_script_checks'],
  encrypt: ['text', 'encrypt'],
  'grpc-port': ['number', 'ports.grpc'],
  'grpc-tls-port': ['number', 'ports.grpc_tls'],
  'https-port': ['number', 'ports.https'],
  join: ['list', 'start_join'],
  'join-wan': ['list', 'start_join_wan'],
  'log-file': ['text', 'log_file'],
  'log-json': ['flag', 'log_json'],
  'log-rotate-bytes': ['number', 'log_rotate_bytes'],
  'log-rotate-duration': ['text', 'log_rotate_duration'],
  'log-rotate-max-files': ['number', 'log_rotate_max_files'],
  'max-query-time': ['text', 'max_query_time'],
  'node-id': ['text', 'node_id'],
  'node-meta': ['map', 'node_meta'],
  'non-voting-server': ['flag', 'read_replica'],
  'pid-file': ['text', 'pid_file'],
  'primary-gateway': ['list', 'primary_gateways'],
  protocol: ['number', 'protocol'],
  'raft-protocol': ['number', 'raft_protocol'],
  'read-replica': ['flag', 'read_replica'],
  recursor: ['list', 'recursors'],
  rejoin: ['flag', 'rejoin_after_leave'],
  'retry-interval': ['text', 'retry_interval'],
  'retry-interval-wan': ['text', 'retry_interval_wan'],
  'retry-join': ['list', 'retry_join'],
  'retry-join-wan': ['list', 'retry_join_wan'],
  'retry-max': ['number', 'retry_max'],
  'retry-max-wan': ['number', 'retry_max_wan'],
  segment: ['text', 'segment'],
  'serf-lan-allowed-cidrs': ['list', 'serf_allowed_cidrs_lan'],
  'serf-lan-bind': ['text', 'serf_lan'],
  'serf-lan-port': ['number', 'ports.serf_lan'],
  'serf-wan-allowed-cidrs': ['list', 'serf_allowed_cidrs_wan'],
  'serf-wan-bind': ['text', 'serf_wan'],
  'serf-wan-port': ['number', 'ports.serf_wan'],
  'server-port': ['number', 'ports.server'],
  syslog: ['flag', 'enable_syslog'],
  ui: ['flag', 'ui_config.enabled'],
  'ui-content-path': ['text', 'ui_config.content_path'],
  'ui-dir': ['text', 'ui_config.dir'],
};

const KINDS: Readonly<Record<string, FlagKind>> = {
  ...Object.fromEntries(Object.entries({ ...OWN, ...SETTINGS }).map(([name, [kind]]) => [name, kind])),
  bind: 'text',
  'config-format': 'text',
  hcl: 'list',
};

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The words after `consul agent`, and what CONSUL_LOCAL_CONFIG says, as flags of drover's agent.
 *
 * @throws CLI_USAGE with Go's texts
 */
export function consulAgentFlags(words: readonly string[], environment: Environment): AgentFlags {
  const { flags, args } = parseGoFlags(words, KINDS);
  const [extra] = args;
  if (extra !== undefined) throw usageError(`unexpected argument ${JSON.stringify(extra)}: flags begin with a dash`);
  const own = Object.entries(OWN).flatMap(([name, [, key]]) => (flags.has(name) ? [[key, flags.get(name)]] : []));
  const settings = settingsOf(flags);
  const local = environment['CONSUL_LOCAL_CONFIG'] ?? '';
  const snippets = (flags.get('hcl') as readonly string[] | undefined) ?? [];
  return {
    ...(Object.fromEntries(own) as AgentFlags),
    ...bindOf(flags.get('bind')),
    ...formatOf(flags.get('config-format')),
    ...(Object.keys(settings).length === 0 ? {} : { settings }),
    inline: [
      ...(local === '' ? [] : [{ from: 'CONSUL_LOCAL_CONFIG', text: local, format: 'json' as const }]),
      ...snippets.map((text) => ({ from: '-hcl', text, format: 'hcl' as const })),
    ],
  };
}

/** What flags say, in the form of a configuration file. Pure. */
export function settingsOf(flags: ReadonlyMap<string, FlagValue>): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const [name, [, key]] of Object.entries(SETTINGS)) {
    const value = flags.get(name);
    if (value === undefined) continue;
    const [outer = '', inner] = key.split('.');
    settings[outer] = inner === undefined ? value : { ...(settings[outer] as object | undefined), [inner]: value };
  }
  return settings;
}

/** Consul binds all addresses by this one, which says nothing of the node's own. */
function bindOf(value: FlagValue | undefined): AgentFlags {
  return value === undefined ? {} : { bind: value as string };
}

function formatOf(value: FlagValue | undefined): Pick<AgentFlags, 'configFormat'> {
  if (value === undefined) return {};
  if (value === 'json' || value === 'hcl') return { configFormat: value };
  throw usageError(`-config-format: expected json or hcl, found ${JSON.stringify(value)}`);
}
