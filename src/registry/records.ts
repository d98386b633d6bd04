/** What the store holds of the registry, family by family (`store.md` 3). Values are JSON of these shapes. */

export type CheckStatus = 'passing' | 'warning' | 'critical' | 'unknown';

/** Health of an instance for routing, worst first: maintenance, draining, critical, unknown, warning, passing. */
export type Health = 'passing' | 'warning' | 'unknown' | 'critical' | 'draining' | 'maintenance';

/** `node/<node>`: written at registration and when it changes. */
export interface NodeRecord {
  readonly name: string;
  /** A UUID. */
  readonly id: string;
  readonly address: string;
  readonly taggedAddresses: Readonly<Record<string, string>>;
  readonly meta: Readonly<Record<string, string>>;
  readonly datacenter: string;
  readonly federation: string;
  /** Definitions that the node is told to run by its agent (P19). */
  readonly runs: readonly string[];
  /** Address of its local balancer; null where the node runs none. */
  readonly balancer: { readonly address: string } | null;
  /** Which consumers the node's agent runs; empty for nodes registered through the catalog API. */
  readonly consumers: readonly ('environment' | 'balancer' | 'listener')[];
  /** Who provides what this node requires is an input of its listener (P17): its own tools write a balancer or collected lists. */
  readonly membership?: boolean;
  /** Of whom at most so many provision at once (P14). */
  readonly provisionGroup?: string;
  /** Registered through the catalog API: no agent vouches for it. */
  readonly external: boolean;
  readonly agentVersion?: string;
}

/**
 * What probes found where an instance should be: something there refuses; neither a server nor other nodes had an answer; or a
 * server had none, and no other node was there to be asked.
 */
export type Finding = 'refused' | 'silent' | 'unseen';

/** `alive/<node>`: written only when the status or what probes found changes; it is Consul's serfHealth. */
export interface AliveRecord {
  readonly status: 'up' | 'suspected' | 'down' | 'left';
  /** ISO time. */
  readonly since: string;
  readonly evidence?: string;
  /** Of a node that is suspected: its instances that probes found dead; all others stay as they are. */
  readonly dead?: Readonly<Record<string, Finding>>;
  /** Of a node that is down: its instances that answer probes all the same; all others are gone with it. */
  readonly answering?: readonly string[];
  /** An operator let it go: it becomes down although many vanished with it (the guard against a partition). */
  readonly released?: boolean;
}

/** `own/<node>`: which start of the node's agent speaks for it, and through which server; in no index. */
export interface OwnerRecord {
  readonly epoch: number;
  /** The server it is linked to; absent in records of a server that was alone. */
  readonly server?: string;
  /** Which agent it is, whatever its start: the same as long as its data directory is. */
  readonly agent?: string;
}

/** `srv/<server>`, under the server's lease: gone soon after the server is. */
export interface ServerRecord {
  readonly name: string;
  /** Where others reach it. */
  readonly address: string;
  /** Of HTTP, and so of its links; 0 where it has none. */
  readonly httpPort: number;
  readonly version: string;
  readonly datacenter: string;
  /** Of the link. */
  readonly protocol: number;
  /** Differs with each start of the process. */
  readonly incarnation: string;
  /** The public half of the key by which it is known on links between servers: SPKI, base64. */
  readonly linkKey?: string;
}

/** `inst/<node>/<service-id>`. */
export interface InstanceRecord {
  readonly id: string;
  readonly service: string;
  readonly tags: readonly string[];
  /** Empty: the node's address. */
  readonly address: string;
  readonly port: number;
  readonly meta: Readonly<Record<string, string>>;
  readonly weights: { readonly passing: number; readonly warning: number };
  readonly enableTagOverride: boolean;
  readonly taggedAddresses: Readonly<Record<string, { readonly address: string; readonly port: number }>>;
  readonly kind?: string;
  /** A Unix socket in place of address and port; shown, without meaning here. */
  readonly socketPath?: string;
  /** Leaves DNS and balancers, keeps what is in flight (semantics 7). */
  readonly draining?: boolean;
}

/** `chk/<node>/<check-id>`: written on transitions only. Empty `serviceId` = a check of the node. */
export interface CheckRecord {
  readonly id: string;
  readonly name: string;
  readonly serviceId: string;
  readonly status: CheckStatus;
  /** Output at the transition, at most 4 KB. */
  readonly output: string;
  readonly notes: string;
  /** ttl, http, tcp, script, maintenance, … */
  readonly type: string;
  readonly interval: string;
  readonly timeout: string;
  /** Consul's `Definition` object, as it goes out on the wire; {} when there is none. */
  readonly definition: Readonly<Record<string, unknown>>;
  /** ISO time of the transition. */
  readonly since: string;
}

/** `ds/<federation>/<region>/<name>`; region `-` = every region without a value of its own. The value is a secret. */
export interface DatastoreRecord {
  readonly name: string;
  readonly value: string;
}

/** The check ids that Consul gives maintenance; they turn an instance's health to `maintenance`. */
export const NODE_MAINTENANCE = '_node_maintenance';
export const serviceMaintenance = (serviceId: string): string => `_service_maintenance:${serviceId}`;
