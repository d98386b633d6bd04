import { type Client, Code, ConnectError, createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import type { Clock } from '../../lib/index.ts';
import { certificateTrouble, failureOf } from './failure-of.ts';
import { Auth, Cluster, KV, Lease, Maintenance, type StatusResponse, Watch } from './generated/rpc_pb.ts';
import type { TlsMaterial } from './tls.ts';

/** etcd closes connections that are pinged more often than every 5 s (--grpc-keepalive-min-time). */
const PING = { pingIntervalMs: 10_000, pingTimeoutMs: 3000 };
/** A member that is stopped accepts connections all the same: it must say something. */
const GREETING_MS = 3000;
const MOST_ANSWER_BYTES = 256 * 1024 * 1024;

export interface MemberOptions {
  readonly endpoint: string;
  /** Null: plain HTTP/2. */
  readonly tls: TlsMaterial | null;
  readonly clock: Clock;
}

/**
 * Two connections to one member, one for calls and one for watches: a bulk read does not keep events waiting (etcd#15402). It has
 * answered once before anything is sent over it. Made anew after each failure; the certificates too.
 */
export class Member implements Disposable {
  readonly endpoint: string;
  readonly kv: Client<typeof KV>;
  readonly lease: Client<typeof Lease>;
  readonly cluster: Client<typeof Cluster>;
  readonly maintenance: Client<typeof Maintenance>;
  readonly auth: Client<typeof Auth>;
  readonly #calls: Http2SessionManager;
  readonly #watches: Http2SessionManager;
  readonly #watch: Client<typeof Watch>;
  readonly #clock: Clock;
  readonly #lost = new AbortController();
  #reopening: Promise<void> | null = null;

  private constructor({ endpoint, tls, clock }: MemberOptions) {
    const baseUrl = `${tls === null ? 'http' : 'https'}://${endpoint}`;
    this.endpoint = endpoint;
    this.#clock = clock;
    this.#calls = new Http2SessionManager(baseUrl, PING, tls ?? {});
    this.#watches = new Http2SessionManager(baseUrl, PING, tls ?? {});
    const calls = transportOver(baseUrl, this.#calls);
    this.kv = createClient(KV, calls);
    this.lease = createClient(Lease, calls);
    this.cluster = createClient(Cluster, calls);
    this.maintenance = createClient(Maintenance, calls);
    this.auth = createClient(Auth, calls);
    this.#watch = createClient(Watch, transportOver(baseUrl, this.#watches));
  }

  /**
   * Connects and asks the member how it is; `status` is null when it does not say so without a password.
   *
   * @throws EtcdCallFailed within 6 s; nothing was written
   */
  static async open(
    options: MemberOptions,
  ): Promise<{ readonly member: Member; readonly status: StatusResponse | null }> {
    const member = new Member(options);
    try {
      return { member, status: await member.#open() };
    } catch (error) {
      member[Symbol.dispose]();
      throw failureOf(error, { endpoint: options.endpoint, isRead: true, isAborted: false });
    }
  }

  /** Whether calls can go out over the connection that there is. */
  get isOpen(): boolean {
    return !this.#lost.signal.aborted && !['closed', 'error', 'connecting'].includes(this.#calls.state());
  }

  /** Aborted when the member is given up. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Connects for calls again. Those that want it at the same time share it. */
  reopen(): Promise<void> {
    this.#reopening ??= this.#open()
      .then(() => undefined)
      .finally(() => (this.#reopening = null));
    return this.#reopening;
  }

  /** The client of watches, connected. */
  async watches(): Promise<Client<typeof Watch>> {
    await connect(this.#watches, this.#clock);
    return this.#watch;
  }

  /** Ends both connections with all that is under way over them. */
  [Symbol.dispose](): void {
    this.#lost.abort();
    const reason = new ConnectError('the connection was given up', Code.Unavailable);
    this.#calls.abort(reason);
    this.#watches.abort(reason);
  }

  async #open(): Promise<StatusResponse | null> {
    await connect(this.#calls, this.#clock);
    return this.#greet();
  }

  async #greet(): Promise<StatusResponse | null> {
    try {
      return await this.maintenance.status({}, { timeoutMs: GREETING_MS });
    } catch (error) {
      // A refusal by etcd itself shows that the member is there; one by TLS is the end of it.
      const { kind } = failureOf(error, { endpoint: this.endpoint, isRead: true, isAborted: false });
      if (kind !== 'denied' || certificateTrouble(error) !== undefined) throw error;
      return null;
    }
  }
}

function transportOver(baseUrl: string, sessionManager: Http2SessionManager): ReturnType<typeof createGrpcTransport> {
  return createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [], readMaxBytes: MOST_ANSWER_BYTES });
}

async function connect(manager: Http2SessionManager, clock: Clock): Promise<void> {
  const tooLong = new ConnectError(`no connection within ${GREETING_MS / 1000} s`, Code.Unavailable);
  const timer = clock.after(GREETING_MS, () => manager.abort(tooLong));
  try {
    if ((await manager.connect()) === 'error') throw manager.error() ?? tooLong;
  } finally {
    timer.cancel();
  }
}
