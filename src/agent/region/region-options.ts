import type { AccessSettings, AgentTokens } from '../../access/index.ts';
import type { ConsumerKind } from '../../change/index.ts';
import { messageOf, type Clock, type Timing } from '../../lib/index.ts';
import type { EtcdAccess, Store } from '../../store/index.ts';
import type { TcpProbe } from '../liveness/index.ts';
import type { Log } from '../log.ts';
import type { OpenPeer } from './start-peers.ts';

/** How access control is. */
export interface AccessOptions {
  readonly settings: AccessSettings;
  readonly legacy: boolean;
  readonly tokens: AgentTokens;
  /** A management token that there shall be; null: none. */
  readonly initialManagement: string | null;
  readonly takeResetIndex: () => Promise<number>;
}

/** What a server says of itself to the others. */
export interface ServerSelf {
  readonly version: string;
  /** Where its nodes are; where HTTP answers is said once it does. */
  readonly address: string;
  /** What its data directory is known by: one name is one directory's. */
  readonly place: string;
}

/** What a region's server is made from. */
export interface RegionOptions {
  readonly name: string;
  /** The name of this server: its first node. */
  readonly server: string;
  /** `memory:`, `sqlite:DIR` or `etcd://HOST:PORT,…`; or a store that is open, which the region leaves open. */
  readonly store: string | Store;
  /** How an etcd is spoken to. */
  readonly etcd?: EtcdAccess | undefined;
  /** The server's data directory: what it has read of an etcd is mirrored there. */
  readonly directory?: string;
  /** What this server says of itself to the others. */
  readonly self?: ServerSelf;
  /** How long history is kept; 0: there is none. */
  readonly historyKeepMs: number;
  /** Bytes of a KV value at most. */
  readonly valueBytes: number;
  /** The least TTL of a session. */
  readonly sessionTtlMinMs: number;
  readonly accessControl: AccessOptions;
  readonly timing: Timing;
  /** Which parts of this server take changes up, in their own right: its DNS; none unless told. */
  readonly serverConsumers?: readonly ConsumerKind[];
  /** How channels to other servers are made; over WebSockets unless told. */
  readonly openPeer?: OpenPeer;
  /** How long nodes that are down or left are kept; 72 h unless told. */
  readonly reapAfterMs?: number;
  /** How long a partition alarm stands at most (decision 191); 10 min unless told. */
  readonly alarmForMs?: number;
  /** How instances of suspected nodes are looked at; over the network unless told. */
  readonly probe?: TcpProbe;
  /** Told that this server has to begin anew: what it served from its checkpoint is of a store that is not any more. */
  readonly onReplaced?: ((error: Error) => void) | undefined;
  /** Ends the wait for a store that is away when this server starts. */
  readonly signal?: AbortSignal | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Where what fails in the background is said. */
export function reportTo(log: Log): (error: unknown) => void {
  return (error) => log.error({ err: error }, messageOf(error));
}
