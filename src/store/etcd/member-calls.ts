import type { CallOptions as ConnectOptions } from '@connectrpc/connect';
import type { Clock } from '../../lib/index.ts';
import { Authentication } from './auth.ts';
import { type CallOptions, EtcdCallFailed, type EtcdHealth } from './client.ts';
import { Endpoints, type Trouble } from './endpoints.ts';
import { failureOf, isTokenTrouble } from './failure-of.ts';
import type { Member } from './member.ts';
import { Members } from './members.ts';
import type { EtcdSettings } from './settings.ts';

export interface EtcdClientOptions {
  readonly settings: EtcdSettings;
  readonly clock: Clock;
  readonly random: () => number;
  /** What goes wrong beside the calls themselves, and a member that was given up. */
  readonly report: (error: unknown) => void;
}

/** What a kind of call needs. */
export interface CallPlan {
  /** It changes nothing, so that it may be made again. */
  readonly isRead: boolean;
  /** It is refused at once by a member that has no leader (metadata `hasleader`), rather than after 7 s. */
  readonly needsLeader: boolean;
}

/** A call under way. */
interface Attempt {
  readonly member: Member;
  readonly plan: CallPlan;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal | undefined;
}

const DEFAULT_TIMEOUT_MS = 5000;
/** A call waits for a member that has just failed; not for one that has been away for long. */
const LONGEST_WAIT_MS = 500;
/** The part of the time that a read has at its first member, where there are others. */
const FIRST_PART = 0.6;
const PROBE_MS = 3000;

/** Makes calls at whichever member will do, and makes those again that it may (see `EtcdClient`). */
export class MemberCalls implements Disposable {
  readonly endpoints: Endpoints;
  readonly members: Members;
  readonly #clock: Clock;
  readonly #report: (error: unknown) => void;
  readonly #authentication: Authentication;
  readonly #onDown: () => void;
  #lastContactAtMs = -Infinity;
  #failure: EtcdCallFailed | undefined;
  /** The last failure that says why a member is not asked now. */
  #refusal: EtcdCallFailed | undefined;

  constructor({ settings, clock, random, report }: EtcdClientOptions, onDown: () => void) {
    this.endpoints = new Endpoints(settings.endpoints, random);
    this.members = new Members(settings, clock);
    this.#clock = clock;
    this.#report = report;
    this.#authentication = new Authentication({ user: settings.user, clock, report });
    this.#onDown = onDown;
  }

  get health(): EtcdHealth {
    return {
      lastContactAtMs: this.#lastContactAtMs,
      endpoint: this.endpoints.current,
      failure: this.#failure?.message,
    };
  }

  /** @throws EtcdCallFailed */
  async call<T>(
    plan: CallPlan,
    options: CallOptions | undefined,
    run: (member: Member, options: ConnectOptions) => Promise<T>,
  ): Promise<T> {
    const { signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options ?? {};
    const deadlineMs = this.#clock.now() + timeoutMs;
    let triesLeft = this.endpoints.all.length;
    let isTokenFresh = false;
    for (;;) {
      const attempt = await this.begin(plan, signal, deadlineMs);
      try {
        const answer = await run(attempt.member, {
          ...connectOptions(attempt),
          timeoutMs: this.#partOf(plan, deadlineMs),
        });
        this.succeeded(attempt);
        return answer;
      } catch (error) {
        const failed = this.failed(attempt, error);
        const isRenewal: boolean = !isTokenFresh && this.renew(attempt, error);
        isTokenFresh ||= isRenewal;
        if (!isRenewal && (triesLeft-- <= 0 || !mayTryAgain(failed) || this.#clock.now() >= deadlineMs)) throw failed;
      }
    }
  }

  /**
   * A member for a call, with what is sent beside it.
   *
   * @throws EtcdCallFailed with the outcome `none`
   */
  async begin(plan: CallPlan, signal: AbortSignal | undefined, deadlineMs: number): Promise<Attempt> {
    for (;;) {
      const member = await this.#pick(plan, signal, deadlineMs);
      try {
        const token = await this.#authentication.headers(member);
        const headers = plan.needsLeader ? { ...token, hasleader: 'true' } : token;
        return { member, plan, headers, signal };
      } catch (error) {
        const failed = this.failed({ member, plan: { ...plan, isRead: true }, headers: {}, signal }, error);
        if (!mayTryAgain(failed) || this.#clock.now() >= deadlineMs) throw failed;
      }
    }
  }

  /** Notes an answer. */
  succeeded({ member, plan }: Attempt): void {
    this.#lastContactAtMs = this.#clock.now();
    this.#failure = undefined;
    this.endpoints.answered(member.endpoint, plan.needsLeader);
  }

  /** Notes a failure, draws the conclusions for the member and says what it means. */
  failed({ member, plan, signal }: Attempt, error: unknown): EtcdCallFailed {
    const isAborted = signal?.aborted === true;
    const failed = failureOf(error, { endpoint: member.endpoint, isRead: plan.isRead, isAborted });
    if (isAborted) return failed;
    this.#failure = failed;
    const trouble = troubleOfMember(failed);
    if (trouble === null) {
      this.#lastContactAtMs = this.#clock.now();
      this.endpoints.answered(member.endpoint, plan.needsLeader);
      return failed;
    }
    this.#refusal = failed;
    if (trouble === 'down') this.giveUp(member, failed);
    else this.endpoints.failed(member.endpoint, 'leaderless', this.#clock.now());
    if (trouble === 'silent') void this.#probe(member);
    return failed;
  }

  /** Whether the token was refused; a new one is got for the next attempt. */
  renew({ headers }: Attempt, error: unknown): boolean {
    return isTokenTrouble(error) && this.#authentication.refused(headers);
  }

  /** Ends all that is under way with the member, so that it goes on elsewhere. */
  giveUp(member: Member, why: EtcdCallFailed): void {
    if (member.lost.aborted) return;
    this.members.drop(member);
    this.endpoints.failed(member.endpoint, 'down', this.#clock.now());
    this.#report(why);
    this.#onDown();
  }

  [Symbol.dispose](): void {
    this.members[Symbol.dispose]();
  }

  /** Is it slow because there is no quorum, or does it not live any more? A watch would learn that only from its pings. */
  async #probe(member: Member): Promise<void> {
    try {
      await member.maintenance.status({}, { timeoutMs: PROBE_MS, signal: member.lost });
      this.#lastContactAtMs = this.#clock.now();
    } catch (error) {
      const failed = failureOf(error, { endpoint: member.endpoint, isRead: true, isAborted: false });
      if (troubleOfMember(failed) !== null) this.giveUp(member, failed);
    }
  }

  async #pick({ needsLeader }: CallPlan, signal: AbortSignal | undefined, deadlineMs: number): Promise<Member> {
    let last: EtcdCallFailed | undefined;
    for (;;) {
      if (signal?.aborted === true) throw abortedAt(this.endpoints.current);
      const nowMs = this.#clock.now();
      const choice = this.endpoints.choose(nowMs, needsLeader);
      if ('endpoint' in choice) {
        try {
          return await this.members.get(choice.endpoint);
        } catch (error) {
          last = error as EtcdCallFailed;
          if (last.kind === 'aborted') throw last;
          this.#failure = this.#refusal = last;
          this.endpoints.failed(choice.endpoint, 'down', this.#clock.now());
          this.#onDown();
        }
      } else {
        const isHopeless = last?.kind === 'denied' || choice.waitMs > Math.min(LONGEST_WAIT_MS, deadlineMs - nowMs);
        if (isHopeless) throw last ?? this.#unavailable();
        await this.#clock.sleep(choice.waitMs, signal).catch(() => undefined);
      }
    }
  }

  /** Said without asking anyone: all members were asked a moment ago. */
  #unavailable(): EtcdCallFailed {
    const message = this.#refusal?.message ?? `etcd at ${this.endpoints.current}: does not answer`;
    return new EtcdCallFailed('unavailable', message, {
      outcome: 'none',
      endpoint: this.endpoints.current,
      cause: this.#refusal?.cause,
    });
  }

  #partOf({ isRead }: CallPlan, deadlineMs: number): number {
    const leftMs = Math.max(1, deadlineMs - this.#clock.now());
    return Math.ceil(isRead && this.endpoints.all.length > 1 ? Math.max(leftMs * FIRST_PART, 1) : leftMs);
  }
}

function connectOptions({ headers, signal }: Attempt): ConnectOptions {
  return signal === undefined ? { headers } : { headers, signal };
}

/** What a failure says of the member: nothing, for those that are answers; `silent`: it did not answer in time. */
function troubleOfMember({ kind, message }: EtcdCallFailed): Trouble | 'silent' | null {
  if (kind !== 'unavailable' && kind !== 'timeout') return null;
  if (/etcdserver:|context deadline exceeded/.test(message)) return 'leaderless';
  return kind === 'timeout' ? 'silent' : 'down';
}

function mayTryAgain({ kind, outcome }: EtcdCallFailed): boolean {
  return outcome === 'none' && (kind === 'unavailable' || kind === 'timeout');
}

function abortedAt(endpoint: string): EtcdCallFailed {
  return new EtcdCallFailed('aborted', `etcd at ${endpoint}: the call was given up`, { outcome: 'none', endpoint });
}
