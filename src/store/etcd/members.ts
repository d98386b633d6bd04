import type { Clock } from '../../lib/index.ts';
import { etcdForeignMember } from '../errors.ts';
import { EtcdCallFailed } from './client.ts';
import { failureOf } from './failure-of.ts';
import { Member } from './member.ts';
import type { EtcdSettings } from './settings.ts';
import { readTls } from './tls.ts';

/** The members that there are connections to, each opened when it is first wanted and by all who want it at once. */
export class Members implements Disposable {
  readonly #settings: EtcdSettings;
  readonly #clock: Clock;
  /** Those that are open, or were. */
  readonly #members = new Map<string, Member>();
  /** How they were opened, or are being. */
  readonly #opening = new Map<string, Promise<Member>>();
  #clusterId: bigint | undefined;
  #isClosed = false;

  constructor(settings: EtcdSettings, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * The member at the endpoint, connected; it belongs to the cluster of the first that answered.
   *
   * @throws EtcdCallFailed with the outcome `none`
   */
  async get(endpoint: string): Promise<Member> {
    if (this.#isClosed) throw closedFailure(endpoint);
    const member = await this.#openOnce(endpoint);
    if (member.isOpen) return member;
    if (member.lost.aborted) return this.#openOnce(endpoint);
    try {
      // etcd has closed the connection, or it was idle for long. Watches have one of their own, which may be well.
      await member.reopen();
      return member;
    } catch (error) {
      this.drop(member);
      throw failureOf(error, { endpoint, isRead: true, isAborted: false });
    }
  }

  /** Gives the member up with all that is under way; the next `get` connects anew. */
  drop(member: Member): void {
    member[Symbol.dispose]();
    // Another may have taken its place meanwhile.
    if (this.#members.get(member.endpoint) === member) {
      this.#members.delete(member.endpoint);
      this.#opening.delete(member.endpoint);
    }
  }

  [Symbol.dispose](): void {
    this.#isClosed = true;
    for (const member of this.#members.values()) member[Symbol.dispose]();
    this.#members.clear();
    this.#opening.clear();
  }

  #openOnce(endpoint: string): Promise<Member> {
    const under = this.#opening.get(endpoint);
    if (under !== undefined) return under;
    const opening = this.#open(endpoint);
    this.#opening.set(endpoint, opening);
    opening.catch(() => this.#opening.delete(endpoint));
    return opening;
  }

  async #open(endpoint: string): Promise<Member> {
    try {
      const tls = this.#settings.tls === null ? null : await readTls(this.#settings.tls);
      const { member, status } = await Member.open({ endpoint, tls, clock: this.#clock });
      this.#check(member, status?.header?.clusterId);
      this.#members.set(endpoint, member);
      return member;
    } catch (error) {
      throw failureOf(error, { endpoint, isRead: true, isAborted: false });
    }
  }

  #check(member: Member, clusterId: bigint | undefined): void {
    if (!this.#isClosed && (clusterId === undefined || clusterId === (this.#clusterId ??= clusterId))) return;
    member[Symbol.dispose]();
    if (this.#isClosed) throw closedFailure(member.endpoint);
    const others = this.#settings.endpoints.filter((endpoint) => endpoint !== member.endpoint);
    throw etcdForeignMember(member.endpoint, others.join(', ') || 'before');
  }
}

function closedFailure(endpoint: string): EtcdCallFailed {
  return new EtcdCallFailed('aborted', 'the connection to etcd is closed', { outcome: 'none', endpoint });
}
