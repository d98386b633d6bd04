/** What `/v2` sends and takes. Times are ISO texts, durations ms, revisions whole numbers. */

export interface WireError {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
  readonly place?: { readonly file?: string; readonly line?: number; readonly column?: number; readonly path?: string };
  readonly excerpt?: string;
  readonly problems?: readonly WireError[];
}

export interface WireStatus {
  readonly version: string;
  readonly region: string;
  /** The agent's first node. */
  readonly node: string;
  readonly nodes: readonly string[];
  readonly revision: number;
  readonly ready: boolean;
  readonly store: {
    readonly engine: string;
    readonly leaderKnown: boolean;
    readonly full: boolean;
    readonly failure?: string;
  };
  /** To which server an agent without one of its own is linked; null where the region is in this agent. */
  readonly link: WireLink | null;
  /** An alarm: so many nodes vanished at once that nobody is said to be down for now; null: there is none. */
  readonly partition: {
    readonly server: string;
    readonly since: string;
    readonly forMs: number;
    readonly why: string;
  } | null;
  /** Snapshots that servers save by themselves; null where they do not. */
  readonly snapshots: {
    readonly newest: { readonly file: string; readonly revision: number; readonly at: string } | null;
    readonly failure: string | null;
  } | null;
  readonly http: string;
  readonly dns: string | null;
}

/** How an agent stands with its servers. */
export interface WireLink {
  /** null while there is none. */
  readonly server: string | null;
  readonly url: string | null;
  /** Since when it is linked to that server, or cut off. */
  readonly since: string;
  /** null while it is linked. */
  readonly cutOffSince: string | null;
}

/** One service as `service:list` and the greeting show it. */
export interface WireService {
  readonly id: string;
  readonly federation: string;
  readonly defined: boolean;
  readonly public: boolean;
  readonly instances: number;
  readonly health: string;
  readonly requiredBy: readonly string[];
  readonly reachedAt: string;
}

export interface WireInstance {
  readonly node: string;
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly health: string;
  readonly tags: readonly string[];
}

export interface WireServiceDetail extends WireService {
  readonly definition: Readonly<Record<string, unknown>> | null;
  readonly instancesOf: readonly WireInstance[];
  /** Cycles of requirements this service is part of, as texts. */
  readonly notes: readonly string[];
}

export interface WireNode {
  readonly name: string;
  readonly address: string;
  readonly federation: string;
  readonly status: string;
  /** ISO time since when. */
  readonly since: string;
  /** Why it is not up. */
  readonly evidence?: string;
  /** Of a suspected node: its instances that probes found dead, and how. */
  readonly dead?: Readonly<Record<string, string>>;
  /** Of a node that is down: its instances that answer all the same. */
  readonly answering?: readonly string[];
  readonly released?: boolean;
  /** What its agent runs: environment, balancer, listener. */
  readonly consumers: readonly string[];
  /** Of whom at most so many provision at once; null: of none. */
  readonly provisionGroup: string | null;
  readonly runs: readonly string[];
  readonly services: readonly { readonly id: string; readonly service: string; readonly health: string }[];
  readonly external: boolean;
}

/** What applying definitions came to. */
export interface WireApplied {
  readonly applied: readonly string[];
  readonly warnings: readonly string[];
  readonly notes: readonly string[];
}

export interface WireRemovedDefinition {
  readonly id: string;
  readonly federation: string;
  /** Definitions that still require what it provided. */
  readonly requiredBy: readonly string[];
}

export interface WireMaintenance {
  readonly node: string;
  /** null: the whole node. */
  readonly service: string | null;
  readonly enabled: boolean;
}

/** What is known of a node's balancer; what else is in it is for people. */
export interface WireBalancer {
  readonly pid: number | null;
  /** Why what is shown may be old; null: it is current. */
  readonly stale: string | null;
  readonly frontends: readonly {
    readonly service: string;
    readonly endpoint: string;
    readonly members: readonly unknown[];
    readonly error: string | null;
  }[];
  /** Services that get no listener here, and why. */
  readonly skipped: readonly { readonly service: string; readonly reason: string }[];
  readonly errors: readonly string[];
}

export interface WireDatastore {
  readonly name: string;
  readonly federation: string;
  /** `-`: every region without a value of its own. */
  readonly region: string;
  /** `•••` unless revealed. */
  readonly value: string;
}

export interface WireVariable {
  readonly name: string;
  /** null: unknown, or a secret that was not asked for. */
  readonly value: string | null;
  readonly state: 'own' | 'ready' | 'waiting' | 'stale' | 'missing';
  readonly secret: boolean;
  readonly from: readonly string[];
  readonly unresolved: readonly string[];
}

export interface WireEnvironment {
  readonly service: string;
  readonly node: string;
  readonly revision: number;
  readonly variables: readonly WireVariable[];
}

export interface WireListener {
  readonly enabled: boolean;
  readonly running: boolean;
  readonly queued: boolean;
  readonly runs: number;
  readonly last: {
    readonly startedAt: string;
    readonly endedAt: string;
    /** null: a signal ended it, or its end was not seen. */
    readonly exitCode: number | null;
    readonly causes: readonly string[];
    readonly revision: number;
    /** In people's words: `exit 3`, `time limit`. */
    readonly result: string;
  } | null;
  /** Whether the node has a provision command at all. */
  readonly configured: boolean;
  /** What the queued run is for. */
  readonly causes: readonly string[];
  /** Why the queued run does not start: `off`, `settle`, `interval`, `backoff`, `locked by …`. */
  readonly held: string | null;
  readonly retryAt: string | null;
}

/** A provision that ended. */
export interface WireProvision {
  readonly id: string;
  readonly hash: string;
  readonly revision: number;
  readonly causes: readonly string[];
  readonly startedAt: string;
  readonly endedAt: string;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly succeeded: boolean;
  readonly result: string;
  /** What it printed, on its node. */
  readonly logFile: string;
}

/** A consumer that owes something. */
/** Whether a token may do something, and what decides. */
export interface WireWhy {
  readonly accessor: string;
  readonly allowed: boolean;
  readonly management: boolean;
  readonly defaultPolicy: 'allow' | 'deny';
  readonly rule: {
    readonly selector: string;
    readonly policy: string;
    readonly from: string;
    readonly line?: number;
    readonly column?: number;
  } | null;
}

export interface WireLateness {
  readonly node: string;
  readonly kind: string;
  readonly revision: number;
  readonly forMs: number;
}

export interface WireTraceConsumer {
  readonly node: string;
  readonly kind: string;
  readonly state: 'arrived' | 'late' | 'held' | 'failed' | 'refused';
  readonly outcome?: string;
  readonly tookMs?: number;
  readonly reason?: string;
  readonly retryAt?: string;
  /** Its node is down, so nobody waits for it. */
  readonly down?: boolean;
}

export interface WireTrace {
  readonly revision: number;
  /** Empty: nothing that is followed changed. */
  readonly at: string;
  readonly summary: readonly string[];
  /** Who made it, where history says so. */
  readonly author?: string;
  readonly consumers: readonly WireTraceConsumer[];
  readonly arrived: number;
  readonly of: number;
  readonly converged: boolean;
}

export interface WireConverged {
  readonly converged: boolean;
  readonly pending: readonly WireTraceConsumer[];
}

/** One event of `/v2/events`. */
export interface WireEvent {
  readonly type: string;
  readonly revision: number;
  /** Where a reader that comes back goes on. */
  readonly id: number;
  readonly [key: string]: unknown;
}

/** A value as history shows it: text, what is not text in base64, of a secret only a hash. */
export interface WireHistoryValue {
  readonly text?: string;
  readonly base64?: string;
  readonly sha256?: string;
  readonly flags?: string;
  /** How many keys a recursive delete took. */
  readonly keys?: number;
}

/** Who changed what. */
export interface WireHistoryItem {
  readonly revision: number;
  /** `kv`, `kvtree` (a recursive delete), `def`, `ds` or `acl`. */
  readonly kind: string;
  readonly subject: string;
  readonly author: string;
  readonly at: string;
  readonly change: 'created' | 'changed' | 'removed';
  readonly before: WireHistoryValue | null;
  readonly after: WireHistoryValue | null;
  /** Nothing has changed it since. */
  readonly latest: boolean;
}

export interface WireUndone {
  readonly undone: readonly string[];
  /** Keys of a recursive delete that history did not keep. */
  readonly lost: number;
}

/** A check that became another status. */
export interface WireCheckTransition {
  readonly n: number;
  readonly revision: number;
  readonly from: string;
  readonly status: string;
  readonly output: string;
  readonly at: string;
}

/** The listener of any node of the region. */
export interface WireNodeProvisions {
  /** null: it has none. */
  readonly listener: WireListener | null;
  /** The latest that ended, newest first. */
  readonly provisions: readonly WireProvision[];
}

/** How far a deployment over many nodes has come. */
export interface WireDeployment {
  /** null: every node with a listener. */
  readonly group: string | null;
  readonly atOnce: number;
  readonly mostFailures: number;
  readonly nodes: Readonly<Record<string, 'waiting' | 'running' | 'done' | 'failed'>>;
  /** Where it stands in the store; 0 for a new one. */
  readonly revision: number;
}
