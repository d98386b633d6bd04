import type { ServiceRegistration, CheckRegistration, HttpSettings } from '../../api/index.ts';
import type { ReactionDefinition, WatchDefinition } from '../../event/index.ts';
import type { TimingPreset } from '../../lib/index.ts';
import type { EtcdAccess } from '../../store/index.ts';
import type { AclConfig } from './acl-config.ts';
import type { InlineConfig } from './inline-config.ts';

/** How a node's local balancer is run. */
export interface BalancerConfig {
  readonly address: string;
  readonly haproxy: string | null;
  readonly onStop: 'keep' | 'stop';
}

/** Where and as whom environment files are written. */
export interface EnvironmentConfig {
  readonly directory: string;
  readonly mode: number;
  /** `user`, `user:group` or numbers; null = the agent's own. */
  readonly owner: string | null;
}

/** What provisions a node. */
export interface ProvisionConfig {
  readonly command: string | readonly string[];
  readonly kind: 'command' | 'chef' | 'puppet' | 'ansible';
  readonly timeLimitMs: number;
  readonly lockFile: string | null;
  readonly membership: boolean;
  /** Of whom at most so many provision at once; null: no such limit. */
  readonly group: string | null;
  /** How many of the group: `5` or `10%`. */
  readonly atMost: string;
  /** The directory of the file that names the command. */
  readonly cwd: string;
}

/** One node that this agent hosts, with every default filled in. */
export interface NodeConfig {
  readonly name: string;
  /** UUID; null = made from the region and the name. */
  readonly id: string | null;
  readonly address: string;
  readonly federation: string;
  readonly runs: readonly string[];
  readonly meta: Readonly<Record<string, string>>;
  readonly balancer: BalancerConfig | null;
  readonly environment: EnvironmentConfig | null;
  readonly provision: ProvisionConfig | null;
  readonly services: readonly ServiceRegistration[];
  readonly checks: readonly CheckRegistration[];
  readonly watches: readonly WatchDefinition[];
  readonly reactions: readonly ReactionDefinition[];
}

/** A Unix socket that answers HTTP. */
export interface SocketConfig {
  readonly path: string;
  readonly mode: number;
  /** `user` or `user:group`; null = the agent's own. */
  readonly owner: string | null;
}

/** Where HTTP is answered, and how. */
export interface HttpConfig {
  /** Each with `port`; none where only sockets are wanted. */
  readonly addresses: readonly string[];
  readonly sockets: readonly SocketConfig[];
  /** -1: none of them, sockets included. */
  readonly port: number;
  readonly settings: HttpSettings;
}

/** Snapshots that servers save by themselves. */
export interface SnapshotConfig {
  readonly everyMs: number;
  /** So many stay. */
  readonly keep: number;
  readonly directory: string;
}

/** The agent's configuration with every default filled in; frozen. */
export interface AgentConfig {
  readonly datacenter: string;
  readonly dataDirectory: string;
  /** The data directory is this run's own and goes with it: `dev` without a named one. */
  readonly temporary: boolean;
  readonly dev: boolean;
  readonly server: boolean;
  /** `memory:`, `sqlite:DIR` or `etcd://HOST:PORT,…`. */
  readonly store: string;
  readonly etcd: EtcdAccess;
  /** Null: none are saved by themselves. */
  readonly snapshots: SnapshotConfig | null;
  readonly http: HttpConfig;
  /** At least one address. */
  readonly dns: { readonly addresses: readonly string[]; readonly port: number };
  readonly domain: string;
  readonly altDomain: string | null;
  readonly dnsConfig: DnsConfig;
  readonly logLevel: string;
  readonly legacy: boolean;
  readonly acl: AclConfig;
  readonly timing: TimingPreset;
  /** SIGTERM leaves the region. */
  readonly leaveOnTerminate: boolean;
  /** SIGINT leaves the region. */
  readonly leaveOnInterrupt: boolean;
  readonly pidFile: string | null;
  /** Servers of the region, as the operator names them. */
  readonly join: readonly string[];
  readonly sessionTtlMinMs: number;
  /** How long nodes that left or are down are kept. */
  readonly reapAfterMs: number;
  /** How long a partition alarm stands at most. */
  readonly alarmForMs: number;
  /** How long history is kept; 0: there is none. */
  readonly historyKeepMs: number;
  readonly scripts: { readonly local: boolean; readonly remote: boolean };
  /** Where others reach it, where the operator says so. */
  readonly advertised: string | null;
  /** At least one; the first has the agent API. */
  readonly nodes: readonly NodeConfig[];
  /** Texts about keys that mean nothing here, and the like; printed at start. */
  readonly warnings: readonly string[];
}

/** Consul's `dns_config` and `recursors`; TTLs in ms. Absent = default. */
export interface DnsConfig {
  readonly nodeTtlMs?: number;
  readonly serviceTtlMs?: Readonly<Record<string, number>>;
  readonly onlyPassing?: boolean;
  readonly udpAnswerLimit?: number;
  readonly aRecordLimit?: number;
  readonly enableTruncate?: boolean;
  readonly disableCompression?: boolean;
  readonly nodeMetaTxt?: boolean;
  readonly soa?: {
    readonly refresh?: number;
    readonly retry?: number;
    readonly expire?: number;
    readonly minTtl?: number;
  };
  /** As they were written: addresses with or without port. */
  readonly recursors?: readonly string[];
  readonly recursorStrategy?: 'sequential' | 'random';
  readonly recursorTimeoutMs?: number;
}

/** What the command line says; it wins over files. */
export interface AgentFlags {
  readonly dev?: boolean;
  readonly server?: boolean;
  readonly store?: string;
  readonly node?: string;
  readonly datacenter?: string;
  readonly domain?: string;
  readonly bind?: string;
  readonly client?: string;
  readonly httpPort?: number;
  readonly dnsPort?: number;
  readonly dataDir?: string;
  readonly configFile?: readonly string[];
  readonly configDir?: readonly string[];
  readonly logLevel?: string;
  readonly timing?: TimingPreset;
  readonly legacy?: boolean;
  readonly enableScriptChecks?: boolean;
  /** The format of files, whatever their names say. */
  readonly configFormat?: 'json' | 'hcl';
  /** Configurations that stand in no file; they win over files, in order. */
  readonly inline?: readonly InlineConfig[];
  /** What other flags say, in the form of a configuration file; it wins over all of those. */
  readonly settings?: object;
}
