/** How an instance is checked; Consul's fields in camelCase, durations in ms. Exactly one kind is set. */
export interface CheckDefinition {
  readonly id?: string;
  readonly name?: string;
  /** The instance a check of its own belongs to (`service_id`); absent within a service. */
  readonly serviceId?: string;
  readonly notes?: string;
  readonly http?: string;
  readonly method?: string;
  readonly header?: Readonly<Record<string, readonly string[]>>;
  readonly body?: string;
  readonly tcp?: string;
  readonly tcpUseTls?: boolean;
  /** `host:port`. */
  readonly udp?: string;
  /** `host:port/service`; without a service the server as a whole is asked for. */
  readonly grpc?: string;
  readonly grpcUseTls?: boolean;
  /** `host:port`. */
  readonly h2ping?: string;
  /** True unless said otherwise. */
  readonly h2pingUseTls?: boolean;
  /** The container in which `args`, or `script` by `shell`, is run. */
  readonly dockerContainerId?: string;
  readonly shell?: string;
  /** A unit of systemd. */
  readonly osService?: string;
  /** An instance, by its id, whose health this check shows; with `aliasNode` of that node, else of the own one. */
  readonly aliasService?: string;
  readonly aliasNode?: string;
  /** TTL in ms. */
  readonly ttlMs?: number;
  /** Arguments of a script check; the first is the program. */
  readonly args?: readonly string[];
  /** A shell line, run by /bin/sh -c (Consul's old `script`). */
  readonly script?: string;
  readonly tlsSkipVerify?: boolean;
  readonly tlsServerName?: string;
  readonly disableRedirects?: boolean;
  readonly intervalMs?: number;
  readonly timeoutMs?: number;
  readonly initialStatus?: 'passing' | 'warning' | 'critical';
  readonly successBeforePassing?: number;
  readonly failuresBeforeWarning?: number;
  readonly failuresBeforeCritical?: number;
  readonly deregisterCriticalServiceAfterMs?: number;
  readonly outputMaxSize?: number;
}

/** What one service needs, offers, how it is checked and how it runs (P1): defaults filled in, frozen. */
export interface Definition {
  readonly id: string;
  readonly federation: string;
  /** true = run by its `runList`; a string or list = by drover's executor; false = drover does not run it. */
  readonly command: boolean | string | readonly string[];
  readonly runList: readonly string[];
  /** Numbers and booleans are strings by now. */
  readonly environment: Readonly<Record<string, string>>;
  /** Variable → template over required names; `requires: ["api"]` is kept in `requiresServices` (P18). */
  readonly requires: Readonly<Record<string, string>>;
  /** Services all of whose provided names are required under their own name. */
  readonly requiresServices: readonly string[];
  readonly provides: Readonly<Record<string, string>>;
  readonly localPort: number | null;
  readonly protocol: 'http' | 'tcp';
  /** `node`: the service listens on its node's address only, so the balancer may take `local_port` on its own (semantics 3). */
  readonly bind: 'any' | 'node';
  /** `keep`: the balancer keeps the last members when all became critical. */
  readonly panic: 'empty' | 'keep';
  readonly public: boolean;
  readonly hosts: readonly string[];
  readonly shared: boolean;
  /** `status: /path` and the TCP check of an http provider without one (P24) are among them; they may hold `{HOST}` and the like. */
  readonly checks: readonly CheckDefinition[];
  readonly meta: Readonly<Record<string, string>>;
  readonly incarnation: string | null;
  /** Kept as written for the issues that use them: run, regions. */
  readonly extra: Readonly<Record<string, unknown>>;
}
