import { tmpdir } from 'node:os';
import path from 'node:path';
import { aclConfigOf, aclWarnings } from './acl-config.ts';
import { agentNodes } from './agent-nodes.ts';
import { checkFlags } from './check-flags.ts';
import type { AgentConfig, AgentFlags } from './config.ts';
import { recursorWarnings, toDnsConfig } from './dns-config.ts';
import { etcdConfigOf, etcdWarnings } from './etcd-config.ts';
import { exposureOf } from './exposure.ts';
import { httpConfigOf } from './http-config.ts';
import { mergeInputs } from './merge-inputs.ts';
import { refuseUnanswered } from './node-handlers.ts';
import { readConfigFiles, type ConfigFile } from './read-config.ts';
import type { ConfigInput } from './schema.ts';
import { snapshotConfigOf } from './snapshot-config.ts';

const DEFAULT_DATA_DIRECTORY = '/var/lib/drover';
const SESSION_TTL_MIN_MS = 10_000;
const REAP_AFTER_MS = 72 * 3_600_000;
const ALARM_FOR_MS = 600_000;
const HISTORY_KEEP_MS = 30 * 86_400_000;

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
  const { files, warnings } = await readConfigFiles({
    paths: [...(flags.configFile ?? []), ...(flags.configDir ?? [])],
    inline: flags.inline ?? [],
    settings: flags.settings,
    format: flags.configFormat,
  });
  const merged = mergeInputs(files.map((file) => file.input));
  const sources: Sources = { flags, merged, files, dev: flags.dev ?? false };
  const dataDirectory = dataDirectoryOf(sources);
  const scripts = {
    local: merged.enable_local_script_checks ?? true,
    remote: flags.enableScriptChecks ?? merged.enable_script_checks ?? false,
  };
  const listeners = listenersOf(sources);
  const settings = settingsOf(sources);
  const { acl } = settings;
  const store = storeOf(sources, dataDirectory);
  const etcd = await etcdConfigOf(files);
  const isClosed = acl.enabled && acl.defaultPolicy === 'deny';
  const nodes = await agentNodes({ ...sources, dataDirectory, scripts });
  refuseUnanswered(listeners, nodes);
  return Object.freeze({
    ...settings,
    ...listeners,
    dataDirectory,
    temporary: isTemporary(sources),
    store,
    etcd,
    snapshots: snapshotConfigOf(merged, files, dataDirectory),
    scripts,
    nodes: Object.freeze(nodes),
    warnings: Object.freeze([
      ...warnings,
      ...aclWarnings(acl),
      ...etcdWarnings(etcd, store),
      ...exposureOf({ ...listeners, scripts, isClosed }),
      ...recursorWarnings({ ...settings, ...listeners }),
    ]),
  });
}

type Listeners = Pick<AgentConfig, 'http' | 'dns'>;

function settingsOf({
  flags,
  merged,
  files,
  dev,
}: Sources): Omit<
  AgentConfig,
  keyof Listeners | 'dataDirectory' | 'temporary' | 'store' | 'etcd' | 'snapshots' | 'scripts' | 'nodes' | 'warnings'
> {
  return {
    datacenter: flags.datacenter ?? merged.datacenter ?? 'dc1',
    dev,
    server: dev || (flags.server ?? merged.server ?? false),
    domain: flags.domain ?? merged.domain ?? 'consul.',
    altDomain: merged.alt_domain ?? null,
    dnsConfig: toDnsConfig(merged),
    logLevel: flags.logLevel ?? merged.log_level ?? 'info',
    legacy: flags.legacy ?? merged.legacy ?? false,
    acl: aclConfigOf(merged),
    timing: flags.timing ?? merged.timing ?? (dev ? 'local' : 'lan'),
    leaveOnTerminate: merged.leave_on_terminate ?? false,
    leaveOnInterrupt: merged.skip_leave_on_interrupt === false,
    pidFile: pidFileOf(merged, files),
    join: serversOf([...(merged.retry_join ?? []), ...(merged.start_join ?? [])]),
    advertised: merged.advertise_addr ?? null,
    sessionTtlMinMs: merged.session_ttl_min ?? SESSION_TTL_MIN_MS,
    reapAfterMs: merged.reap_after ?? REAP_AFTER_MS,
    alarmForMs: merged.partition_alarm ?? ALARM_FOR_MS,
    historyKeepMs: merged.history_keep ?? HISTORY_KEEP_MS,
  };
}

/** `HOST,HOST` in one word is as good as two words. */
function serversOf(words: readonly string[]): string[] {
  return words.flatMap((word) => word.split(',').map((one) => one.trim())).filter((one) => one !== '');
}

function listenersOf({ flags, merged }: Sources): Listeners {
  const client = wordsOf(flags.client) ?? merged.client_addr ?? ['127.0.0.1'];
  return {
    http: httpConfigOf(merged, merged.addresses?.http ?? client, flags.httpPort),
    dns: { addresses: merged.addresses?.dns ?? client, port: flags.dnsPort ?? merged.ports?.dns ?? 8600 },
  };
}

function dataDirectoryOf({ flags, merged, files, dev }: Sources): string {
  if (flags.dataDir !== undefined) return path.resolve(flags.dataDir);
  if (merged.data_dir !== undefined) return path.resolve(directoryOf(files, 'data_dir'), merged.data_dir);
  return dev ? path.join(tmpdir(), `drover-dev-${process.pid}`) : DEFAULT_DATA_DIRECTORY;
}

function pidFileOf(merged: Sources['merged'], files: Sources['files']): string | null {
  return merged.pid_file === undefined ? null : path.resolve(directoryOf(files, 'pid_file'), merged.pid_file);
}

function wordsOf(text: string | undefined): readonly string[] | undefined {
  return text?.split(/\s+/).filter((one) => one !== '');
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
