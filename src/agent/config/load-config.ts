import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { configConflict } from '../errors.ts';
import type { AgentConfig, AgentFlags, DnsConfig, NodeConfig } from './config.ts';
import { readConfigFiles, type ConfigFile } from './read-config.ts';
import { toNodeConfig, type NodePart } from './node-config.ts';
import type { ConfigInput } from './schema.ts';

const DEFAULT_DATA_DIRECTORY = '/var/lib/drover';

/**
 * The agent's configuration from its files and flags: scalars of later files win, lists add up, flags win over all.
 *
 * @throws CONFIG_UNREADABLE, CONFIG_CONFLICT, and what reading files throws, with places
 */
export async function loadConfig(flags: AgentFlags): Promise<AgentConfig> {
  const files = await readConfigFiles([...(flags.configFile ?? []), ...(flags.configDir ?? [])]);
  const merged: ConfigInput = Object.assign({}, ...files.map((file) => file.input));
  const dev = flags.dev ?? false;
  const dataDirectory = dataDirectoryOf(flags, merged, files, dev);
  const client = flags.client ?? merged.client_addr ?? '127.0.0.1';
  const server = dev || (flags.server ?? merged.server ?? false);
  return Object.freeze({
    datacenter: flags.datacenter ?? merged.datacenter ?? 'dc1',
    dataDirectory,
    dev,
    server,
    store: storeOf(flags, merged, files, dev, dataDirectory),
    http: { address: merged.addresses?.http ?? client, port: flags.httpPort ?? merged.ports?.http ?? 8500 },
    dns: { address: merged.addresses?.dns ?? client, port: flags.dnsPort ?? merged.ports?.dns ?? 8600 },
    domain: flags.domain ?? merged.domain ?? 'consul.',
    altDomain: merged.alt_domain ?? null,
    dnsConfig: toDnsConfig(merged),
    logLevel: flags.logLevel ?? merged.log_level ?? 'info',
    legacy: flags.legacy ?? merged.legacy ?? false,
    timing: flags.timing ?? merged.timing ?? (dev ? 'local' : 'lan'),
    scripts: {
      local: merged.enable_local_script_checks ?? true,
      remote: flags.enableScriptChecks ?? merged.enable_script_checks ?? false,
    },
    nodes: Object.freeze(await nodesOf(flags, merged, files, dataDirectory, dev)),
    warnings: files.flatMap((file) => file.warnings),
  });
}

function dataDirectoryOf(flags: AgentFlags, merged: ConfigInput, files: readonly ConfigFile[], dev: boolean): string {
  if (flags.dataDir !== undefined) return path.resolve(flags.dataDir);
  if (merged.data_dir !== undefined) return path.resolve(directoryOf(files, 'data_dir'), merged.data_dir);
  return dev ? path.join(tmpdir(), `drover-dev-${process.pid}`) : DEFAULT_DATA_DIRECTORY;
}

function storeOf(
  flags: AgentFlags,
  merged: ConfigInput,
  files: readonly ConfigFile[],
  dev: boolean,
  dataDirectory: string,
): string {
  if (flags.store !== undefined) return flags.store;
  if (dev) return 'memory:';
  if (merged.store === undefined) return `sqlite:${path.join(dataDirectory, 'store')}`;
  if (!merged.store.startsWith('sqlite:')) return merged.store;
  return `sqlite:${path.resolve(directoryOf(files, 'store'), merged.store.slice('sqlite:'.length))}`;
}

function directoryOf(files: readonly ConfigFile[], key: keyof ConfigInput): string {
  return files.findLast((file) => file.input[key] !== undefined)?.directory ?? process.cwd();
}

function toDnsConfig({ dns_config: given }: ConfigInput): DnsConfig {
  if (given === undefined) return {};
  const { soa } = given;
  return withoutUndefined({
    nodeTtlMs: given.node_ttl,
    serviceTtlMs: given.service_ttl,
    onlyPassing: given.only_passing,
    udpAnswerLimit: given.udp_answer_limit,
    aRecordLimit: given.a_record_limit,
    enableTruncate: given.enable_truncate,
    disableCompression: given.disable_compression,
    nodeMetaTxt: given.enable_additional_node_meta_txt,
    soa:
      soa === undefined
        ? undefined
        : withoutUndefined({ refresh: soa.refresh, retry: soa.retry, expire: soa.expire, minTtl: soa.min_ttl }),
  }) as DnsConfig;
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}

/** The node at the top level, if anything speaks of it, then those of `nodes`. */
async function nodesOf(
  flags: AgentFlags,
  merged: ConfigInput,
  files: readonly ConfigFile[],
  dataDirectory: string,
  dev: boolean,
): Promise<NodeConfig[]> {
  const listed = files.flatMap((file) =>
    (file.input.nodes ?? []).map((input, index) => ({ input, ...placeOf(file, ['nodes', index]) })),
  );
  const duplicate = listed.find(
    (one, index) => listed.findIndex((other) => other.input.name === one.input.name) < index,
  );
  if (duplicate !== undefined) throw twice(duplicate);
  const environmentDirectory = (name: string): string =>
    dev ? path.join(dataDirectory, 'nodes', encodeURIComponent(name), 'services.d') : '/etc/services.d';
  const nodes = listed.map((one) =>
    toNodeConfig([one], {
      name: one.input.name,
      id: null,
      address: '127.0.0.1',
      environmentDirectory: environmentDirectory(one.input.name),
    }),
  );
  const top = topLevelNode(flags, merged, files, listed.length === 0, environmentDirectory);
  return Promise.all(top === null ? nodes : [top, ...nodes]);
}

function topLevelNode(
  flags: AgentFlags,
  merged: ConfigInput,
  files: readonly ConfigFile[],
  alone: boolean,
  environmentDirectory: (name: string) => string,
): Promise<NodeConfig> | null {
  const given = flags.node ?? merged.node_name;
  if (given === undefined && !alone) return null;
  const name = given ?? hostname();
  const parts: NodePart[] = files.map((file) => ({ input: topLevelPart(file.input), ...placeOf(file, []) }));
  return toNodeConfig(parts, {
    name,
    id: merged.node_id ?? null,
    address: merged.advertise_addr ?? flags.bind ?? bindAddress(merged) ?? '127.0.0.1',
    environmentDirectory: environmentDirectory(name),
  });
}

function bindAddress(merged: ConfigInput): string | undefined {
  return merged.bind_addr === '0.0.0.0' || merged.bind_addr === '::' ? undefined : merged.bind_addr;
}

function topLevelPart(input: ConfigInput): NodePart['input'] {
  const { federation, runs, node_meta, balancer, environment, provision, service, services, check, checks } = input;
  return { federation, runs, node_meta, balancer, environment, provision, service, services, check, checks };
}

function placeOf(file: ConfigFile, at: readonly (string | number)[]): Omit<NodePart, 'input'> {
  return { document: file.document, directory: file.directory, at };
}

function twice({ input, document, at }: NodePart & { input: { name: string } }): Error {
  const place = document.placeOf([...at, 'name']);
  return configConflict.with(
    { place, hint: 'give each node a name of its own' },
    `two nodes are named "${input.name}"`,
  );
}
