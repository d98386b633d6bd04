import type { MessageInitShape } from '@bufbuild/protobuf';
import type {
  LeaseGrantResponse,
  Member,
  RangeRequestSchema,
  RangeResponse,
  StatusResponse,
  TxnRequestSchema,
  TxnResponse,
  WatchCreateRequestSchema,
  WatchResponse,
} from './generated/rpc_pb.ts';

export type RangeRequestInit = MessageInitShape<typeof RangeRequestSchema>;
export type TxnRequestInit = MessageInitShape<typeof TxnRequestSchema>;
export type WatchRequestInit = MessageInitShape<typeof WatchCreateRequestSchema>;

/** How a call ends at the latest. */
export interface CallOptions {
  readonly signal?: AbortSignal;
  /** 5,000 ms unless told. */
  readonly timeoutMs?: number;
}

/** What is known of the connection to etcd, for `StoreStatus`. */
export interface EtcdHealth {
  /** ms on the monotonic clock of the last answer, event or pong from any member; negative infinity before the first. */
  readonly lastContactAtMs: number;
  /** The member that calls go to, `host:port`. */
  readonly endpoint: string;
  /** Why the last call failed, while none has succeeded since. */
  readonly failure: string | undefined;
}

/**
 * The calls of etcd v3 that drover makes, over whichever member answers: connections with keepalive pings, the next member with
 * back-off when one fails, authentication again when a token has expired, members refreshed. Calls are tried again on another
 * member only where that cannot do harm: when nothing was sent, or for reads.
 *
 * @throws EtcdCallFailed from every call
 */
export interface EtcdClient extends AsyncDisposable {
  range(request: RangeRequestInit, options?: CallOptions): Promise<RangeResponse>;
  /** Never tried again once sent: `outcome: 'unknown'` says that it may have happened. */
  txn(request: TxnRequestInit, options?: CallOptions): Promise<TxnResponse>;
  compact(revision: bigint, options?: CallOptions): Promise<void>;
  leaseGrant(ttlSeconds: number, options?: CallOptions): Promise<LeaseGrantResponse>;
  leaseRevoke(id: bigint, options?: CallOptions): Promise<void>;
  /** Resolves with the seconds that it lasts from now on; 0 or less: it is gone. */
  leaseKeepAlive(id: bigint, options?: CallOptions): Promise<number>;
  memberList(options?: CallOptions): Promise<readonly Member[]>;
  /** Of one member; of the one in use unless told. */
  status(endpoint?: string, options?: CallOptions): Promise<StatusResponse>;
  /**
   * One watch on a stream of its own, on a connection apart from that of calls, with the metadata `hasleader`. Yields every
   * response as it comes, the one that says `created` or `canceled` too; ends by throwing for every other reason than an abort.
   */
  watch(request: WatchRequestInit, signal: AbortSignal): AsyncIterable<WatchResponse>;
  readonly health: EtcdHealth;
}

/** What a failed call means, whatever the code that etcd gave it. */
export type EtcdFailureKind =
  /** No member answers, or the one that does has no leader. */
  | 'unavailable'
  /** The deadline passed, or the connection broke after it was sent. */
  | 'timeout'
  /** The history that was asked for is compacted. */
  | 'compacted'
  /** Too many operations, too large, a key twice. */
  | 'invalid'
  /** No space (alarm NOSPACE). */
  | 'full'
  /** User, password, token or certificate. */
  | 'denied'
  /** The lease is not there. */
  | 'no-lease'
  | 'aborted'
  | 'other';

/** A call that failed; `message` holds no secret. */
export class EtcdCallFailed extends Error {
  readonly kind: EtcdFailureKind;
  /** Whether a write may have happened all the same. */
  readonly outcome: 'none' | 'unknown';
  readonly endpoint: string;

  constructor(
    kind: EtcdFailureKind,
    message: string,
    details: { readonly outcome: 'none' | 'unknown'; readonly endpoint: string; readonly cause?: unknown },
  ) {
    super(message, { cause: details.cause });
    this.name = 'EtcdCallFailed';
    this.kind = kind;
    this.outcome = details.outcome;
    this.endpoint = details.endpoint;
  }
}
