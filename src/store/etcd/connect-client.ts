import type { Clock, Timer } from '../../lib/index.ts';
import { advertisedEndpoint, isThisMachine } from './address.ts';
import {
  type CallOptions,
  EtcdCallFailed,
  type EtcdClient,
  type EtcdHealth,
  type RangeRequestInit,
  type TxnRequestInit,
  type WatchRequestInit,
} from './client.ts';
import type {
  LeaseGrantResponse,
  Member as MemberRecord,
  RangeResponse,
  StatusResponse,
  TxnResponse,
  WatchResponse,
} from './generated/rpc_pb.ts';
import { type CallPlan, type EtcdClientOptions, MemberCalls } from './member-calls.ts';
import { readEtcdFile } from './secret-file.ts';
import { readTls } from './tls.ts';
import { watchMember } from './watch-member.ts';

const WRITE: CallPlan = { isRead: false, needsLeader: true };
/** Made twice it does what it does once. */
const REPEATABLE: CallPlan = { isRead: true, needsLeader: true };
const LINEARIZABLE: CallPlan = { isRead: true, needsLeader: true };
const SERIALIZABLE: CallPlan = { isRead: true, needsLeader: false };

const REFRESH_MS = 60_000;
const REFRESH_AFTER_FAILURE_MS = 5000;

/** etcd over connect-node and generated stubs; the decisions are `Endpoints`, the attempts `MemberCalls`. */
export class ConnectEtcdClient implements EtcdClient {
  readonly #options: EtcdClientOptions;
  readonly #clock: Clock;
  readonly #calls: MemberCalls;
  readonly #closing = new AbortController();
  #refresh: Timer | undefined;
  #refreshAtMs = Infinity;

  private constructor(options: EtcdClientOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#calls = new MemberCalls(options, () => this.#refreshIn(REFRESH_AFTER_FAILURE_MS));
    this.#refreshIn(REFRESH_AFTER_FAILURE_MS);
  }

  /**
   * Reads the files of the settings once, so that what is wrong with them is said at once. Connects with the first call: etcd may be
   * away when a server starts.
   *
   * @throws STORE_ETCD_FILE
   */
  static async start(options: EtcdClientOptions): Promise<ConnectEtcdClient> {
    const { tls, user } = options.settings;
    if (tls !== null) await readTls(tls);
    if (user !== null) await readEtcdFile(user.passwordFile, 'the password for etcd', true);
    return new ConnectEtcdClient(options);
  }

  /** `host:port` of the members that calls may go to: the configured ones and those that they tell of. */
  get members(): readonly string[] {
    return this.#calls.endpoints.all;
  }

  get health(): EtcdHealth {
    return this.#calls.health;
  }

  range(request: RangeRequestInit, options?: CallOptions): Promise<RangeResponse> {
    const plan = request.serializable === true ? SERIALIZABLE : LINEARIZABLE;
    return this.#calls.call(plan, options, (member, over) => member.kv.range(request, over));
  }

  txn(request: TxnRequestInit, options?: CallOptions): Promise<TxnResponse> {
    // One that only reads is made again at another member, as any read.
    const plan = isReading(request) ? LINEARIZABLE : WRITE;
    return this.#calls.call(plan, options, (member, over) => member.kv.txn(request, over));
  }

  async compact(revision: bigint, options?: CallOptions): Promise<void> {
    await this.#calls.call(REPEATABLE, options, (member, over) => member.kv.compact({ revision }, over));
  }

  /** A grant that nobody hears of ends by itself. */
  leaseGrant(ttlSeconds: number, options?: CallOptions): Promise<LeaseGrantResponse> {
    const request = { TTL: BigInt(Math.ceil(ttlSeconds)) };
    return this.#calls.call(REPEATABLE, options, (member, over) => member.lease.leaseGrant(request, over));
  }

  async leaseRevoke(id: bigint, options?: CallOptions): Promise<void> {
    await this.#calls.call(WRITE, options, (member, over) => member.lease.leaseRevoke({ ID: id }, over));
  }

  leaseKeepAlive(id: bigint, options?: CallOptions): Promise<number> {
    return this.#calls.call(REPEATABLE, options, async (member, over) => {
      // A stream for each: it costs as much as a call, there is about one a second, and nothing hangs on one that broke.
      for await (const answer of member.lease.leaseKeepAlive(once({ ID: id }), over)) return Number(answer.TTL);
      throw new EtcdCallFailed('unavailable', `etcd at ${member.endpoint}: the stream ended without an answer`, {
        outcome: 'none',
        endpoint: member.endpoint,
      });
    });
  }

  async memberList(options?: CallOptions): Promise<readonly MemberRecord[]> {
    const { members } = await this.#calls.call(SERIALIZABLE, options, (member, over) =>
      member.cluster.memberList({}, over),
    );
    return members;
  }

  async status(endpoint?: string, options: CallOptions = {}): Promise<StatusResponse> {
    if (endpoint === undefined)
      return this.#calls.call(SERIALIZABLE, options, (member, over) => member.maintenance.status({}, over));
    const member = await this.#calls.members.get(endpoint);
    return member.maintenance.status({}, { timeoutMs: 5000, ...options });
  }

  watch(request: WatchRequestInit, signal: AbortSignal): AsyncIterable<WatchResponse> {
    return watchMember(this.#calls, this.#clock, request, AbortSignal.any([signal, this.#closing.signal]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    this.#refresh?.cancel();
    this.#calls[Symbol.dispose]();
    await Promise.resolve();
  }

  /** At the latest in so many ms; sooner when that was planned already. */
  #refreshIn(delayMs: number): void {
    const atMs = this.#clock.now() + delayMs * (0.8 + this.#options.random() * 0.4);
    if (atMs >= this.#refreshAtMs || this.#closing.signal.aborted) return;
    this.#refreshAtMs = atMs;
    this.#refresh?.cancel();
    this.#refresh = this.#clock.after(atMs - this.#clock.now(), () => void this.#refreshMembers());
  }

  /** Asks who the members are, so that a cluster whose members were replaced one by one is not lost. */
  async #refreshMembers(): Promise<void> {
    this.#refreshAtMs = Infinity;
    try {
      const records = await this.memberList({ signal: this.#closing.signal });
      this.#calls.endpoints.learn(await this.#usable(advertisedBy(records, this.#options.settings)));
    } catch {
      // Calls tell of it; and who may not list members goes on with those that are configured.
    }
    this.#refreshIn(REFRESH_MS);
  }

  /** Those in use already, and new ones that answer and belong to this cluster. */
  async #usable(endpoints: readonly string[]): Promise<string[]> {
    const known = new Set(this.#calls.endpoints.all);
    const asked = endpoints.map(async (endpoint) => known.has(endpoint) || (await this.#answers(endpoint)));
    const answers = await Promise.all(asked);
    return endpoints.filter((_, at) => answers[at]);
  }

  async #answers(endpoint: string): Promise<boolean> {
    try {
      await this.#calls.members.get(endpoint);
      return true;
    } catch {
      return false;
    }
  }
}

function advertisedBy(
  records: readonly MemberRecord[],
  { endpoints, tls }: EtcdClientOptions['settings'],
): readonly string[] {
  const options = { tls: tls !== null, isLocal: endpoints.every(isThisMachine) };
  const found = records.flatMap(({ clientURLs }) => clientURLs.map((url) => advertisedEndpoint(url, options)));
  return [...new Set(found.filter((endpoint) => endpoint !== null))];
}

async function* once<T>(request: T): AsyncGenerator<T> {
  yield await Promise.resolve(request);
}

function isReading({ success = [], failure = [] }: TxnRequestInit): boolean {
  return [...success, ...failure].every(({ request }) => request?.case === 'requestRange');
}
