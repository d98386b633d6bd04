import { z } from 'zod';
import { parseRecursor } from '../../dns/index.ts';
import { checkSchema } from '../../definition/index.ts';
import { reactionSchema, watchSchema } from '../../event/index.ts';
import { aclSchema, oldAclFields } from './acl-schema.ts';
import {
  address,
  addressList,
  datacenterSchema,
  duration,
  httpAddresses,
  logLevel,
  nameSchema,
  network,
  portSchema,
  text,
} from './formats.ts';
import { serviceSchema } from './service-schema.ts';

/** `balancer` of a node. */
export const balancerSchema = z
  .strictObject({
    address: address.optional().describe('Address that it binds; default 127.0.0.1.'),
    haproxy: text.optional().describe('Path of the HAProxy program; default: the one in PATH or /usr/sbin.'),
    on_stop: z
      .enum(['keep', 'stop'])
      .optional()
      .describe('Whether HAProxy goes on when the agent stops; default `keep`.'),
  })
  .describe('The node’s local balancer.');

/** `environment` of a node. */
export const environmentSchema = z
  .strictObject({
    directory: text
      .optional()
      .describe('Where the files are written; default /etc/services.d, for nodes of `nodes` below the data directory.'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'expected an octal mode such as "0640"')
      .optional()
      .describe('Mode of the files; default `0640`.'),
    owner: text.optional().describe('Owner of the files: `user` or `user:group`, by name or number.'),
  })
  .describe('Environment files of the node’s services.');

/** `provision` of a node. */
export const provisionSchema = z
  .strictObject({
    command: z
      .union([text, z.array(text).min(1)])
      .describe('What provisions this node: a shell line, or a list of program and arguments.'),
    kind: z
      .enum(['command', 'chef', 'puppet', 'ansible'])
      .optional()
      .describe('Whose own lock is respected; default `command`: nobody’s.'),
    time_limit: duration.optional().describe('A run is stopped after this long; default `30m`.'),
    lock_file: text.optional().describe('Lock of another tool that also provisions this node.'),
    membership: z.boolean().optional().describe('Provisions also when who provides something required changes.'),
    group: text
      .optional()
      .describe('At most so many of the nodes of this name provision at once, in the whole region.'),
    at_most: z
      .union([z.int().min(1), z.string().regex(/^[1-9]\d{0,5}%?$/, 'expected a number or a part such as "10%"')])
      .optional()
      .describe('How many of the group: a number, or a part such as `"10%"`; default `10%`.'),
  })
  .describe('The provision command that the listener runs.');

/** What belongs to one node; at the top level of a configuration it belongs to the agent's own node. */
const nodeFields = {
  federation: text.optional().describe('Federation of the node; default `default`.'),
  runs: z.array(text).optional().describe('Ids of the definitions that this node runs.'),
  node_meta: z.record(z.string(), z.string()).optional().describe('Metadata of the node.'),
  balancer: z
    .union([z.literal(true), balancerSchema])
    .optional()
    .describe('The node’s local balancer; `true` for all defaults.'),
  environment: environmentSchema.optional(),
  provision: provisionSchema.optional(),
  service: serviceSchema.optional().describe('One service with its checks, as in Consul.'),
  services: z.array(serviceSchema).optional().describe('Services with their checks, as in Consul.'),
  check: checkSchema.optional().describe('One check of the node, or of the service `service_id`, as in Consul.'),
  checks: z.array(checkSchema).optional().describe('Several checks of the node or its services.'),
  watches: z.array(watchSchema).optional().describe('What is watched, and what runs when it changed.'),
  reactions: z.array(reactionSchema).optional().describe('What is done when a service goes down and comes up.'),
};

/** Keys that belong to a node wherever they stand. */
export const NODE_KEYS = Object.keys(nodeFields) as readonly (keyof typeof nodeFields)[];

/** One of several nodes in one agent. */
export const nodeSchema = z.strictObject({
  name: nameSchema.describe('Name of the node.'),
  id: z.uuid('expected a UUID').optional().describe('UUID of the node; made from its name when absent.'),
  address: address.optional().describe('Address of the node; default 127.0.0.1.'),
  config_dir: text.optional().describe('Directory of Consul-style files with this node’s services and checks.'),
  ...nodeFields,
});

/** RFC 9110, 5.6.2. */
const headerName = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, 'expected the name of a header');
const headerValue = z.string().regex(/^[\t\u0020-\u007E\u0080-\u00FF]*$/, 'expected the value of a header');
/** Bytes that one request may have whatever is configured. */
const MOST_BODY = 64 * 1024 * 1024;

const soa = z
  .strictObject({
    refresh: z.int().min(0).optional().describe('Seconds.'),
    retry: z.int().min(0).optional().describe('Seconds.'),
    expire: z.int().min(0).optional().describe('Seconds.'),
    min_ttl: z.int().min(0).optional().describe('Seconds that a negative answer may be kept.'),
  })
  .describe('Times of the SOA record, in seconds: `refresh`, `retry`, `expire`, `min_ttl`.');

const NEVER_STALE = 'Taken and without effect: answers come from what this server has applied, and never from a cache.';

const recursor = z.string().refine((value) => parseRecursor(value) !== null, {
  message: 'expected an IP address with or without a port, such as "192.0.2.1:53"',
});

/** Consul's `dns_config`. */
export const dnsSchema = z
  .strictObject({
    node_ttl: duration.optional().describe('TTL of answers about nodes; default `0s`.'),
    service_ttl: z
      .record(z.string(), duration)
      .optional()
      .describe('TTL of answers about services, by name; `*` for the others.'),
    only_passing: z.boolean().optional().describe('Leaves out instances whose status is warning.'),
    udp_answer_limit: z.int().min(1).optional().describe('Records in a UDP answer at most.'),
    a_record_limit: z.int().min(0).optional().describe('A and AAAA records in an answer at most; 0 = no limit.'),
    enable_truncate: z.boolean().optional().describe('Sets TC when a UDP answer was cut.'),
    disable_compression: z.boolean().optional().describe('Writes every name in full.'),
    enable_additional_node_meta_txt: z.boolean().optional().describe('Adds nodes’ metadata as TXT records.'),
    soa: soa.optional(),
    recursor_strategy: z
      .enum(['sequential', 'random'])
      .optional()
      .describe('Which of `recursors` is asked first: `sequential` the first one, `random` any.'),
    recursor_timeout: duration.optional().describe('How long one of `recursors` may take; default `2s`.'),
    allow_stale: z.boolean().optional().describe(NEVER_STALE),
    max_stale: duration.optional().describe(NEVER_STALE),
    use_cache: z.boolean().optional().describe(NEVER_STALE),
    cache_max_age: duration.optional().describe(NEVER_STALE),
  })
  .describe('How DNS answers.');

/** Consul's `http_config`. */
export const httpConfigSchema = z
  .strictObject({
    response_headers: z.record(headerName, headerValue).optional().describe('Headers of every response.'),
    block_endpoints: z.array(text).optional().describe('Paths beginning so answer 403, such as `/v1/operator/`.'),
    allow_write_http_from: z
      .array(network)
      .optional()
      .describe(
        'Networks from which the agent itself may be changed (`/v1/agent/`, and listener, provisions and maintenance of `/v2`), such as `127.0.0.0/8`; default any.',
      ),
  })
  .describe('HTTP: headers, and what is not answered.');

/** Consul's `limits`, as far as drover has them. */
export const limitsSchema = z
  .strictObject({
    http_max_conns_per_client: z
      .int()
      .min(0)
      .optional()
      .describe('Connections of one address at most, one more gets 429; default 0: no limit.'),
    kv_max_value_size: z.int().min(1).max(MOST_BODY).optional().describe('Bytes of a value at most; default 524288.'),
    txn_max_req_len: z
      .int()
      .min(1)
      .max(MOST_BODY)
      .optional()
      .describe('Bytes of a transaction at most; default as `kv_max_value_size`.'),
  })
  .describe('Limits of HTTP.');

/** Consul's `unix_sockets`. */
export const unixSocketsSchema = z
  .strictObject({
    user: text.optional().describe('Owner of the socket, by name or number.'),
    group: text.optional().describe('Group of the socket, by name or number.'),
    mode: z
      .string()
      .regex(/^0?[0-7]{3}$/, 'expected an octal mode such as "0600"')
      .optional()
      .describe('Mode of the socket; default `0600`.'),
  })
  .describe('Who may use the Unix sockets of `addresses`.');

/** How the store's etcd is spoken to. */
export const etcdSchema = z
  .strictObject({
    ca_file: text
      .optional()
      .describe('Who signed the members’ certificates (PEM); with it, TLS is spoken, and never anything else.'),
    cert_file: text.optional().describe('The agent’s own certificate (PEM), where etcd asks for one.'),
    key_file: text.optional().describe('Its key (PEM); not readable by everyone.'),
    user: text.optional().describe('User of etcd’s authentication; not needed where the certificate says who it is.'),
    password_file: text
      .optional()
      .describe('A file with the user’s password and nothing else; not readable by everyone.'),
  })
  .describe('How the etcd of `store` is spoken to.');

/** Snapshots that servers save by themselves. */
export const snapshotsSchema = z
  .strictObject({
    every: duration
      .refine((ms) => ms === 0 || ms >= 10_000, 'expected at least 10s, or 0s for never')
      .describe('How often one is saved; `0s`: never.'),
    keep: z.int().min(1).max(1000).optional().describe('How many stay; default 7. The last good one always does.'),
    directory: text.optional().describe('Where; default `snapshots` below the data directory.'),
  })
  .describe('Snapshots of the store, saved by one of the servers and tried each time by restoring it beside.');

/** The agent's configuration file: Consul's keys where Consul has one, and drover's own. */
export const configSchema = z.strictObject({
  node_name: nameSchema.optional().describe('Name of the agent’s own node; default: the host name.'),
  node_id: z.uuid('expected a UUID').optional().describe('UUID of the agent’s own node; made from its name.'),
  datacenter: datacenterSchema.optional().describe('The region; default `dc1`.'),
  data_dir: text.optional().describe('Where the agent keeps its state; default /var/lib/drover.'),
  domain: text.optional().describe('DNS domain; default `consul.`'),
  alt_domain: text.optional().describe('A second DNS domain.'),
  server: z.boolean().optional().describe('Runs the region in this agent.'),
  store: text
    .optional()
    .describe('`sqlite:DIR`, `etcd://HOST:PORT,HOST:PORT` or `memory:`; default `sqlite:` below the data directory.'),
  etcd: etcdSchema.optional(),
  snapshots: snapshotsSchema.optional(),
  bind_addr: address.optional().describe('Address of the agent’s own node when `advertise_addr` is not given.'),
  advertise_addr: address.optional().describe('Address of the agent’s own node as others see it.'),
  client_addr: addressList.optional().describe('Address of HTTP and DNS, or several with spaces; default 127.0.0.1.'),
  addresses: z
    .strictObject({
      http: httpAddresses.optional().describe('Addresses of HTTP, or `unix:///path.sock`; several with spaces.'),
      dns: addressList.optional().describe('Addresses of DNS, several with spaces.'),
    })
    .optional()
    .describe('Addresses of single listeners: `http`, `dns`.'),
  ports: z
    .strictObject({
      http: portSchema.optional().describe('Port of HTTP; default 8500.'),
      dns: portSchema.optional().describe('Port of DNS; default 8600.'),
    })
    .optional()
    .describe('Ports: `http` (8500) and `dns` (8600); -1 switches one off, 0 takes a free one.'),
  dns_config: dnsSchema.optional(),
  recursors: z.array(recursor).optional().describe('Resolvers that DNS asks about names outside its zone.'),
  recursor: recursor.optional().describe('One of `recursors`; the first.'),
  log_level: logLevel.optional().describe('`trace`, `debug`, `info`, `warn` or `error`; default `info`.'),
  acl: aclSchema.optional(),
  ...oldAclFields,
  legacy: z.boolean().optional().describe('Consul’s behaviour of before 1.4 where it differs.'),
  timing: z.enum(['local', 'lan', 'wan']).optional().describe('Preset of all intervals; default `lan`.'),
  enable_script_checks: z
    .boolean()
    .optional()
    .describe('Takes checks that run commands, here or in containers, also through the API.'),
  enable_local_script_checks: z
    .boolean()
    .optional()
    .describe('Takes checks that run commands from files; default `true`.'),
  leave_on_terminate: z.boolean().optional().describe('SIGTERM leaves the region as `drover leave` does.'),
  skip_leave_on_interrupt: z
    .boolean()
    .optional()
    .describe('`false`: SIGINT leaves the region as `drover leave` does; default `true`.'),
  pid_file: text.optional().describe('Where the agent writes its process id; removed when it ends.'),
  retry_join: z
    .array(text)
    .optional()
    .describe(
      'Servers of the region (`HOST[:PORT]`, several also with commas) that a node without one of its own links to.',
    ),
  start_join: z.array(text).optional().describe('As `retry_join`.'),
  history_keep: duration
    .optional()
    .describe(
      'How long is kept who changed what in KV, definitions, datastores and ACL; default `720h`, `0s`: nothing.',
    ),
  reap_after: duration
    .optional()
    .describe('How long nodes that left or are down are kept, with what they held; default `72h`.'),
  partition_alarm: duration
    .optional()
    .describe('How long it is waited at most before many nodes that vanished at once are said down; default `10m`.'),
  session_ttl_min: duration.optional().describe('The least TTL of a session; default `10s`.'),
  translate_wan_addrs: z
    .boolean()
    .optional()
    .describe('Says so in `X-Consul-Translate-Addresses`; there is one datacenter, whose addresses stay.'),
  unix_sockets: unixSocketsSchema.optional(),
  http_config: httpConfigSchema.optional(),
  disable_http_unprintable_char_filter: z
    .boolean()
    .optional()
    .describe('Takes paths with characters that cannot be printed.'),
  limits: limitsSchema.optional(),
  telemetry: z
    .looseObject({
      prometheus_retention_time: duration
        .optional()
        .describe('Any but `0s` lets `/v1/agent/metrics?format=prometheus` answer.'),
    })
    .optional()
    .describe('Of Consul’s keys `prometheus_retention_time` counts; there are no sinks to send metrics to.'),
  nodes: z
    .array(nodeSchema)
    .min(1)
    .optional()
    .describe('Several nodes in one agent; the first node of all has the agent API.'),
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
export type NodeInput = z.infer<typeof nodeSchema>;
