import { z } from 'zod';
import { parseDuration } from '../../lib/index.ts';

const port = z.int().min(-1).max(65_535);
const text = z.string().min(1);
const duration = z.string().refine(isDuration, 'expected a duration such as 10s').transform(parseDuration);

function isDuration(value: string): boolean {
  try {
    return parseDuration(value) >= 0;
  } catch {
    return false;
  }
}

/** A service or a check in Consul's own form; parsed in full where it is registered. */
const object = z.record(z.string(), z.unknown());

const balancer = z
  .strictObject({
    address: text.optional().describe('Address that the node’s local balancer binds; default: the node’s loopback'),
    haproxy: text.optional().describe('Path of the haproxy program'),
    on_stop: z.enum(['keep', 'stop']).optional().describe('Whether HAProxy goes on when the agent stops; default keep'),
  })
  .describe('The node’s local balancer; `true` for all defaults');

const environment = z
  .strictObject({
    directory: text.optional().describe('Where environment files are written; default /etc/services.d'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'expected an octal mode such as "0640"')
      .optional()
      .describe('Mode of the files; default 0640'),
    owner: text.optional().describe('Owner of the files: user or user:group, by name or number'),
  })
  .describe('Environment files of the node’s services');

const provision = z
  .strictObject({
    command: z
      .union([text, z.array(text).min(1)])
      .describe('What provisions this node: a shell line or a list of arguments'),
    kind: z.enum(['command', 'chef', 'puppet', 'ansible']).optional().describe('Whose own lock is respected'),
    time_limit: duration.optional().describe('A run is stopped after this long; default 30m'),
    lock_file: text.optional().describe('Lock of another tool that also provisions this node'),
    membership: z.boolean().optional().describe('Also provision when who provides something required changes'),
  })
  .describe('The provision command that the listener runs');

/** What belongs to one node; at the top level of a configuration it belongs to the agent's first node. */
const nodeFields = {
  federation: text.optional().describe('Federation of the node; default "default"'),
  runs: z.array(text).optional().describe('Ids of the definitions that this node runs'),
  node_meta: z.record(z.string(), z.string()).optional().describe('Metadata of the node'),
  balancer: z.union([z.literal(true), balancer]).optional(),
  environment: environment.optional(),
  provision: provision.optional(),
  service: object.optional().describe('One service with its checks, as in Consul'),
  services: z.array(object).optional().describe('Services with their checks, as in Consul'),
  check: object.optional().describe('One check of the node, as in Consul'),
  checks: z.array(object).optional().describe('Checks of the node, as in Consul'),
};

const node = z.strictObject({
  name: text.describe('Name of the node'),
  id: text.optional().describe('UUID of the node; made from its name when absent'),
  address: text.optional().describe('Address of the node; default 127.0.0.1'),
  config_dir: text.optional().describe('Directory of Consul-style files with this node’s services and checks'),
  ...nodeFields,
});

const dnsConfig = z.strictObject({
  node_ttl: duration.optional(),
  service_ttl: z.record(z.string(), duration).optional(),
  only_passing: z.boolean().optional(),
  udp_answer_limit: z.int().min(1).optional(),
  a_record_limit: z.int().min(0).optional(),
  enable_truncate: z.boolean().optional(),
  disable_compression: z.boolean().optional(),
  enable_additional_node_meta_txt: z.boolean().optional(),
  soa: z
    .strictObject({
      refresh: z.int().optional(),
      retry: z.int().optional(),
      expire: z.int().optional(),
      min_ttl: z.int().optional(),
    })
    .optional(),
});

/** The agent's configuration file: Consul's keys where Consul has one, and drover's own. */
export const configSchema = z.strictObject({
  node_name: text.optional().describe('Name of the first node; default: the host name'),
  node_id: text.optional().describe('UUID of the first node'),
  datacenter: text.optional().describe('The region; default dc1'),
  data_dir: text.optional().describe('Where the agent keeps its state'),
  domain: text.optional().describe('DNS domain; default consul.'),
  alt_domain: text.optional().describe('A second DNS domain'),
  server: z.boolean().optional().describe('Run the region in this agent'),
  store: text.optional().describe('sqlite:DIR or memory:'),
  bind_addr: text.optional().describe('Address of the first node when advertise_addr is not given'),
  advertise_addr: text.optional().describe('Address of the first node as others see it'),
  client_addr: text.optional().describe('Address of HTTP and DNS; default 127.0.0.1'),
  addresses: z.strictObject({ http: text.optional(), dns: text.optional() }).optional(),
  ports: z
    .strictObject({ http: port.optional(), dns: port.optional() })
    .optional()
    .describe('Ports; -1 switches a listener off'),
  dns_config: dnsConfig.optional(),
  log_level: text.optional().describe('trace, debug, info, warn or error; default info'),
  legacy: z.boolean().optional().describe('Consul’s behaviour of before 1.4 where it differs'),
  timing: z.enum(['local', 'lan', 'wan']).optional().describe('Preset of all intervals; default lan'),
  enable_script_checks: z.boolean().optional().describe('Take script checks also through the API'),
  enable_local_script_checks: z.boolean().optional().describe('Take script checks from local files; default true'),
  leave_on_terminate: z.boolean().optional(),
  nodes: z.array(node).min(1).optional().describe('Several nodes in one agent; the first has the agent API'),
  ...nodeFields,
});

/** A file of a node's `config_dir`: its services and checks only. */
export const localFileSchema = z.strictObject({
  service: nodeFields.service,
  services: nodeFields.services,
  check: nodeFields.check,
  checks: nodeFields.checks,
});

export type ConfigInput = z.infer<typeof configSchema>;
export type NodeInput = z.infer<typeof node>;

/** Keys of Consul that mean nothing here: they warn instead of being refused. */
export const CONSUL_KEYS_WITHOUT_MEANING: readonly string[] = `
  acl acl_datacenter acl_default_policy acl_down_policy acl_master_token acl_token autopilot auto_config
  auto_encrypt bootstrap bootstrap_expect ca_file ca_path cert_file connect check_update_interval
  config_entries default_query_time disable_anonymous_signature disable_host_node_id
  disable_http_unprintable_char_filter disable_remote_exec disable_update_check discard_check_output
  discovery_max_stale enable_debug enable_syslog encrypt encrypt_verify_incoming encrypt_verify_outgoing
  gossip_lan gossip_wan http_config key_file limits log_file log_json log_rotate_bytes log_rotate_duration
  log_rotate_max_files max_query_time peering performance pid_file primary_datacenter primary_gateways
  protocol raft_protocol raft_snapshot_interval raft_snapshot_threshold raft_trailing_logs reconnect_timeout
  recursor recursors rejoin_after_leave retry_interval retry_join retry_join_wan retry_max rpc segment
  segments serf_lan serf_wan server_name session_ttl_min skip_leave_on_interrupt start_join start_join_wan
  syslog_facility tagged_addresses telemetry tls tls_cipher_suites tls_min_version translate_wan_addrs ui
  ui_config ui_dir unix_sockets use_streaming_backend verify_incoming verify_incoming_https
  verify_incoming_rpc verify_outgoing verify_server_hostname watches $schema
`
  .trim()
  .split(/\s+/);
