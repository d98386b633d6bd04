import { tmpdir } from 'node:os';
import path from 'node:path';
import { agentNodes } from './agent-nodes.ts';
import { checkFlags } from './check-flags.ts';
import type { AgentConfig, AgentFlags } from './config.ts';
import { toDnsConfig } from './dns-config.ts';
import { exposureOf } from './exposure.ts';
import { mergeInputs } from './merge-inputs.ts';
import { readConfigFiles, type ConfigFile } from './read-config.ts';
import type { ConfigInput } from './schema.ts';

const DEFAULT_DATA_DIRECTORY = '/var/lib/drover';

/** What everything is derived from. */
interface Sources {
  readonly flags: AgentFlags;
  readonly merged: Partial<ConfigInput>;
  readonly files: readonly ConfigFile[];
  readonly dev: boolean;
}

/**
 * The agent's configuration from its files and flags: scalars of later files win, lists add up, flags win over all.
 *
 * @throws CONFIG_…, and what reading files throws, with places
 */
export async function loadConfig(given: AgentFlags): Promise<AgentConfig> {
  const flags = checkFlags(given);
  const { files, warnings: fromFiles } = await readConfigFiles([
    ...(flags.configFile ?? []),
    ...(flags.configDir ?? []),
  ]);
  const merged = mergeInputs(files.map((file) => file.input));
  const sources: Sources = { flags, merged, files, dev: flags.dev ?? false };
  const dataDirectory = dataDirectoryOf(sources);
  const scripts = {
    local: merged.enable_local_script_checks ?? true,
    remote: flags.enableScriptChecks ?? merged.enable_script_checks ?? false,
  };
  const listeners = listenersOf(sources);
  const warnings = [...fromFiles];
  const warn = (text: string): void => void warnings.push(text);
  const nodes = await agentNodes({ ...sources, dataDirectory, scripts, warn });
  return Object.freeze({
    ...settingsOf(sources),
    ...listeners,
    dataDirectory,
    temporary: isTemporary(sources),
    store: storeOf(sources, dataDirectory),
    scripts,
    nodes: Object.freeze(nodes),
    warnings: Object.freeze([...warnings, ...exposureOf({ ...listeners, scripts })]),
  });
}

type Listeners = Pick<AgentConfig, 'http' | 'dns'>;

function settingsOf({
  flags,
  merged,
  dev,
}: Sources): Omit<
  AgentConfig,
  keyof Listeners | 'dataDirectory' | 'temporary' | 'store' | 'scripts' | 'nodes' | 'warnings'
> {
  return {
    datacenter: flags.datacenter ?? merged.datacenter ?? 'dc1',
    dev,
    server: dev || (flags.server ?? merged.server ?? false),
    domain: flags.domain ?? merged.domain ?? 'consul.',
    altDomain: merged.alt_domain ?? null,
    dnsConfig: toDnsConfig(merged.dns_config),
    logLevel: flags.logLevel ?? merged.log_level ?? 'info',
    legacy: flags.legacy ?? merged.legacy ?? false,
    timing: flags.timing ?? merged.timing ?? (dev ? 'local' : 'lan'),
    leaveOnTerminate: merged.leave_on_terminate ?? false,
  };
}

function listenersOf({ flags, merged }: Sources): Listeners {
  const client = flags.client ?? merged.client_addr ?? '127.0.0.1';
  return {
    http: { address: merged.addresses?.http ?? client, port: flags.httpPort ?? merged.ports?.http ?? 8500 },
    dns: { address: merged.addresses?.dns ?? client, port: flags.dnsPort ?? merged.ports?.dns ?? 8600 },
  };
}

function dataDirectoryOf({ flags, merged, files, dev }: Sources): string {
  if (flags.dataDir !== undefined) return path.resolve(flags.dataDir);
  if (merged.data_dir !== undefined) return path.resolve(directoryOf(files, 'data_dir'), merged.data_dir);
  return dev ? path.join(tmpdir(), `drover-dev-${process.pid}`) : DEFAULT_DATA_DIRECTORY;
}

/** Nobody named a directory for an agent that keeps nothing. */
function isTemporary({ flags, merged, dev }: Sources): boolean {
  return dev && flags.dataDir === undefined && merged.data_dir === undefined;
}

function storeOf({ flags, merged, files, dev }: Sources, dataDirectory: string): string {
  if (flags.store !== undefined) return flags.store;
  if (dev) return 'memory:';
  if (merged.store === undefined) return `sqlite:${path.join(dataDirectory, 'store')}`;
  if (!merged.store.startsWith('sqlite:')) return merged.store;
  return `sqlite:${path.resolve(directoryOf(files, 'store'), merged.store.slice('sqlite:'.length))}`;
}

function directoryOf(files: readonly ConfigFile[], key: keyof ConfigInput): string {
  return files.findLast((file) => file.input[key] !== undefined)?.directory ?? process.cwd();
}
