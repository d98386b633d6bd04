/** Keys of Consul that mean nothing here: they warn instead of being refused. A dot leads into a map. */
export const CONSUL_KEYS_WITHOUT_MEANING: ReadonlySet<string> = new Set(
  `
  acl.disabled_ttl acl.enable_token_replication acl.managed_service_provider acl.msp_disable_bootstrap acl.policy_ttl
  acl.role_ttl acl.token_ttl acl_enforce_version_8 acl_ttl addresses.grpc addresses.grpc_tls addresses.https advertise_addr_ipv4 advertise_addr_ipv6
  advertise_addr_wan advertise_reconnect_timeout auto_config auto_encrypt auto_reload_config autopilot bootstrap
  bootstrap_expect ca_file ca_path cache cert_file check_output_max_size check_update_interval cloud config_entries
  connect default_intention_policy default_query_time disable_anonymous_signature disable_coordinates
  disable_host_node_id disable_keyring_file disable_remote_exec disable_update_check discard_check_output
  discovery_max_stale dns_config.prefer_namespace
  enable_acl_replication
  enable_agent_tls_for_checks enable_central_service_config enable_debug enable_syslog encrypt encrypt_verify_incoming
  encrypt_verify_outgoing experiments gossip_lan gossip_wan http_config.max_header_bytes http_config.use_cache key_file
  license_path limits.https_handshake_timeout limits.request_limits limits.rpc_handshake_timeout limits.rpc_max_burst
  limits.rpc_max_conns_per_client limits.rpc_rate locality log_file log_json log_rotate_bytes log_rotate_duration
  log_rotate_max_files max_query_time partition peering performance ports.expose_max_port ports.expose_min_port
  ports.grpc ports.grpc_tls ports.https ports.proxy_max_port ports.proxy_min_port ports.serf_lan ports.serf_wan
  ports.server ports.sidecar_max_port ports.sidecar_min_port primary_gateways
  primary_gateways_interval protocol raft_logstore raft_protocol raft_snapshot_interval raft_snapshot_threshold
  raft_trailing_logs read_replica reconnect_timeout reconnect_timeout_wan rejoin_after_leave
  reporting retry_interval retry_interval_wan retry_join_wan retry_max retry_max_wan rpc segment segments
  serf_allowed_cidrs_lan serf_allowed_cidrs_wan serf_lan serf_wan server_name server_rejoin_age_max start_join_wan
  syslog_facility tagged_addresses tls tls_cipher_suites tls_min_version tls_prefer_server_cipher_suites ui ui_config
  ui_dir use_streaming_backend verify_incoming verify_incoming_https verify_incoming_rpc verify_outgoing
  verify_server_hostname xds $schema
`
    .trim()
    .split(/\s+/),
);

/** Keys whose every value asks for what is so anyway, or for nothing that anybody could miss. */
const WITHOUT_A_WORD: ReadonlySet<string> = new Set(
  `
  $schema bootstrap bootstrap_expect disable_anonymous_signature disable_host_node_id disable_keyring_file disable_update_check
  log_json performance protocol raft_logstore raft_protocol raft_snapshot_interval raft_snapshot_threshold raft_trailing_logs
  read_replica rejoin_after_leave retry_interval retry_max server_rejoin_age_max use_streaming_backend
`
    .trim()
    .split(/\s+/),
);

/** A configuration without Consul's keys that mean nothing here, and their names. Nulls count as absent. Pure. */
export function withoutForeignKeys(value: unknown): { readonly value: unknown; readonly ignored: readonly string[] } {
  const ignored: string[] = [];
  return { value: prune(value, '', ignored), ignored };
}

function prune(value: unknown, prefix: string, ignored: string[]): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([key, inner]) => {
    const isForeign = CONSUL_KEYS_WITHOUT_MEANING.has(prefix + key);
    if (isForeign && !asksForNothing(prefix, key, inner)) ignored.push(prefix + key);
    return !isForeign && inner !== null;
  });
  if (prefix !== '') return Object.fromEntries(kept);
  return Object.fromEntries(
    kept.map(([key, inner]) => [key, MAPS.has(key) ? prune(inner, `${key}.`, ignored) : inner]),
  );
}

const MAPS: ReadonlySet<string> = new Set(['acl', 'addresses', 'ports', 'dns_config', 'http_config', 'limits']);

/** A port of -1, `false` and what is empty say that something is off, as it is. */
function asksForNothing(prefix: string, key: string, value: unknown): boolean {
  if (WITHOUT_A_WORD.has(prefix + key) || value === null || value === false || value === '') return true;
  return prefix === 'ports.' ? value === -1 : typeof value === 'object' && Object.keys(value).length === 0;
}
