import { HTTP_SETTINGS, type HttpSettings } from '../../api/index.ts';
import type { HttpConfig, SocketConfig } from './config.ts';
import { socketPath } from './formats.ts';
import type { ConfigInput } from './schema.ts';

const HTTP_PORT = 8_500;

/** Where HTTP is answered and how, from Consul's keys. `addresses` as `addresses.http` or `client_addr` gives them. Pure. */
export function httpConfigOf(
  merged: Partial<ConfigInput>,
  addresses: readonly string[],
  port: number | undefined,
): HttpConfig {
  const unique = [...new Set(addresses)];
  return {
    addresses: unique.filter((address) => socketPath(address) === undefined),
    sockets: unique.flatMap((address) => socketOf(merged, address)),
    port: port ?? merged.ports?.http ?? HTTP_PORT,
    settings: settingsOf(merged),
  };
}

function socketOf({ unix_sockets: given = {} }: Partial<ConfigInput>, address: string): SocketConfig[] {
  const path = socketPath(address);
  if (path === undefined) return [];
  const { user = '', group = '', mode = '0600' } = given;
  const name = user === '' ? String(process.getuid?.() ?? 0) : user;
  const owner = user === '' && group === '' ? null : name + (group === '' ? '' : `:${group}`);
  return [{ path, mode: Number.parseInt(mode, 8), owner }];
}

function settingsOf(merged: Partial<ConfigInput>): HttpSettings {
  const { http_config: http = {}, limits = {}, telemetry = {} } = merged;
  const valueBytes = limits.kv_max_value_size ?? HTTP_SETTINGS.valueBytes;
  const translated = merged.translate_wan_addrs === true ? { 'X-Consul-Translate-Addresses': 'true' } : {};
  return {
    responseHeaders: { ...translated, ...http.response_headers },
    blockEndpoints: http.block_endpoints ?? [],
    writeFrom: http.allow_write_http_from ?? [],
    takesUnprintable: merged.disable_http_unprintable_char_filter ?? false,
    connectionsPerClient: limits.http_max_conns_per_client ?? 0,
    valueBytes,
    txnBytes: limits.txn_max_req_len ?? valueBytes,
    prometheus: (telemetry.prometheus_retention_time ?? 0) > 0,
  };
}
