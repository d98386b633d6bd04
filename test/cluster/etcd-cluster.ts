import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { findComponent } from '../require-component.ts';
import { makeCertificates, type Certificates } from './certificates.ts';
import { etcdctl, memberStatus, type ControlAccess, type MemberStatus } from './etcd-control.ts';
import { startMember, type ClusterPlan, type MemberPlan } from './etcd-member.ts';
import { written, type Ground } from './ground.ts';
import type { GuardedProcess } from './guarded-process.ts';
import { LoopbackGround } from './loopback-ground.ts';
import { quickFolder } from './quick-folder.ts';
import { until } from './until.ts';

const READY_MS = 60_000;
/** Where members have a network of their own. */
const CLIENT_PORT = 2_379;
const PEER_PORT = 2_380;

/** etcd's root, and a user that may read and write everything. With TLS, the client's certificate is the user `drover`. */
export const ETCD_USERS = {
  root: { name: 'root', password: 'root-secret' },
  drover: { name: 'drover', password: 'drover-secret' },
} as const;

/** What is started; one plain member on 127.0.0.1 unless told. */
export interface EtcdClusterOptions {
  readonly members?: number;
  /** Mutual TLS for clients and members. */
  readonly tls?: boolean;
  /** With the users of `ETCD_USERS`. */
  readonly auth?: boolean;
  /** One for each member, or one for all. */
  readonly addresses?: readonly string[];
  /** Members reach each other, and clients reach them, through lines that can be cut. */
  readonly lines?: boolean;
  /** Where its members, the parties `etcd-0`…, are to stand; the caller's. Then `addresses` and `lines` are its matter. */
  readonly ground?: Ground;
  /** More words for etcd's command line. */
  readonly flags?: readonly string[];
}

/** Real etcd members in processes of their own, on free ports and data in a temporary folder; nothing is left of them. */
export class EtcdCluster implements AsyncDisposable {
  readonly #plan: ClusterPlan;
  readonly #ground: Ground;
  readonly #isOwnGround: boolean;
  readonly #auth: boolean;
  readonly #processes: GuardedProcess[] = [];

  private constructor(plan: ClusterPlan, ground: Ground, { auth = false, ground: given }: EtcdClusterOptions) {
    this.#plan = plan;
    this.#ground = ground;
    this.#isOwnGround = given === undefined;
    this.#auth = auth;
  }

  static async start(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
    const { ground = groundOf(options) } = options;
    const plan = await planCluster(ground, options);
    const cluster = new EtcdCluster(plan, ground, options);
    try {
      plan.members.forEach((_, index) => cluster.#launch(index));
      await cluster.ready();
      if (cluster.#auth) await cluster.#enableAuth();
      return cluster;
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** `host:port` of each member, as clients reach it. */
  get endpoints(): readonly string[] {
    return this.#plan.members.map(({ client }) => written(client.reached));
  }

  /** For `--store`. */
  get url(): string {
    return `etcd://${this.endpoints.join(',')}`;
  }

  /** Paths of PEM files; null without TLS. */
  get tls(): Certificates | null {
    return this.#plan.certificates;
  }

  /** A file with the password of `drover`, as `password_file` takes it; null without auth. */
  get passwordFile(): string | null {
    return this.#auth ? path.join(this.#plan.folder, 'password') : null;
  }

  /** Where its members' data is. */
  get folder(): string {
    return this.#plan.folder;
  }

  /** Of the members' processes. */
  get pids(): readonly number[] {
    return this.#processes.map(({ pid }) => pid);
  }

  /** Kills a member as a loss of power would. */
  async kill(index: number): Promise<void> {
    await this.#process(index).kill();
  }

  /** Starts a member that was killed, on the data it had, and waits until it answers. */
  async start(index: number): Promise<void> {
    this.begin(index);
    await until(
      () => this.#answers(index),
      READY_MS,
      () => `etcd-${index}: ${this.#process(index).said}`,
    );
  }

  /** As `start`, and waits for nothing: without a quorum a member does not answer. */
  begin(index: number): void {
    if (!this.#process(index).running) this.#launch(index);
  }

  /** Stops a member's process where it is. */
  pause(index: number): void {
    this.#process(index).pause();
  }

  resume(index: number): void {
    this.#process(index).resume();
  }

  /** Cuts a member off from the other members and all clients. @throws without lines */
  cut(index: number): Promise<void> {
    return this.#ground.cut(nameOf(index));
  }

  /** Takes back what `cut` did to this member. */
  heal(index: number): Promise<void> {
    return this.#ground.heal(nameOf(index));
  }

  /** Everything runs and all lines are whole; resolves when the members have a leader. */
  async healAll(): Promise<void> {
    await this.#ground.healAll();
    this.#processes.forEach((process) => process.resume());
    await Promise.all(this.#processes.map((_, index) => this.start(index)));
    await this.ready();
  }

  /** Resolves when a leader is known and every member that runs agrees. */
  async ready(): Promise<void> {
    await until(
      () => this.#isReady(),
      READY_MS,
      () => this.#processes.map(({ said }) => said).join('\n'),
    );
  }

  /** What each member says; null for one that does not answer within two seconds. */
  status(): Promise<readonly (MemberStatus | null)[]> {
    return Promise.all(this.endpoints.map((endpoint) => memberStatus(this.#access, endpoint)));
  }

  /** The index of the leader, as most members see it; -1 when there is none. */
  async leader(): Promise<number> {
    const said = await this.status();
    const believed = said.flatMap((status) => (status === null || status.leaderId === '0' ? [] : [status]));
    const newest = believed.toSorted((a, b) => b.term - a.term)[0];
    return newest === undefined ? -1 : said.findIndex((status) => status?.memberId === newest.leaderId);
  }

  /** Makes another member the leader. @throws when there is no leader, or that one does not answer */
  async moveLeader(index: number): Promise<void> {
    const [leader, said] = [await this.leader(), await this.status()];
    const target = said[index];
    if (leader < 0 || !target) throw new Error(`leadership cannot go to etcd-${index}`);
    const id = BigInt(target.memberId).toString(16);
    await etcdctl(this.#access, [this.endpoints[leader] as string], ['move-leader', id]);
  }

  /** Runs etcdctl against all members, with the rights of root. */
  etcdctl(...words: readonly string[]): Promise<string> {
    return etcdctl(this.#access, this.endpoints, words);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#processes.map((process) => process.kill()));
    if (this.#isOwnGround) await this.#ground[Symbol.asyncDispose]();
    await rm(this.#plan.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  get #access(): ControlAccess {
    const { name, password } = ETCD_USERS.root;
    return { certificates: this.#plan.certificates, user: this.#auth ? `${name}:${password}` : null };
  }

  #process(index: number): GuardedProcess {
    const process = this.#processes[index];
    if (process === undefined) throw new Error(`there is no member ${index}`);
    return process;
  }

  #launch(index: number): void {
    const process = startMember(this.#plan, this.#plan.members[index] as MemberPlan);
    this.#processes[index] = process;
    this.#ground.begun(nameOf(index), process.pid);
  }

  async #answers(index: number): Promise<boolean> {
    const process = this.#process(index);
    if (!process.running) throw new Error(`etcd-${index} ended: ${process.said}`);
    return (await memberStatus(this.#access, this.endpoints[index] as string)) !== null;
  }

  async #isReady(): Promise<boolean> {
    const ended = this.#processes.find(({ running }) => !running);
    if (ended !== undefined) throw new Error(`a member ended: ${ended.said}`);
    const said = await this.status();
    return said.every((status) => status !== null && status.leaderId !== '0' && status.leaderId === said[0]?.leaderId);
  }

  async #enableAuth(): Promise<void> {
    const { root, drover } = ETCD_USERS;
    const before: ControlAccess = { ...this.#access, user: null };
    const tell = (...words: readonly string[]): Promise<string> => etcdctl(before, this.endpoints, words);
    for (const { name, password } of [root, drover]) await tell('user', 'add', `${name}:${password}`);
    await tell('role', 'add', 'drover');
    await tell('role', 'grant-permission', 'drover', 'readwrite', '', '--from-key');
    await tell('user', 'grant-role', 'drover', 'drover');
    await tell('role', 'add', 'root');
    await tell('user', 'grant-role', 'root', 'root');
    await writeFile(path.join(this.#plan.folder, 'password'), drover.password, { mode: 0o600 });
    await tell('auth', 'enable');
  }
}

function nameOf(index: number): string {
  return `etcd-${index}`;
}

function groundOf({ addresses = ['127.0.0.1'], lines = false }: EtcdClusterOptions): Ground {
  return new LoopbackGround({ addresses, lines });
}

async function planCluster(ground: Ground, options: EtcdClusterOptions): Promise<ClusterPlan> {
  const { members: count = 1, tls = false, flags = [] } = options;
  const folder = await quickFolder('drover-etcd-');
  const members: MemberPlan[] = [];
  for (let index = 0; index < count; index++) {
    const site = await ground.site(nameOf(index));
    const client = await ground.entrance(site, CLIENT_PORT);
    members.push({ site, client, peer: await ground.entrance(site, PEER_PORT) });
  }
  const served = members.flatMap(({ site }) => [site.address, site.outerAddress]);
  const certificates = tls
    ? await makeCertificates(folder, [...new Set(['127.0.0.1', ...served])], ETCD_USERS.drover.name)
    : null;
  return { program: findComponent('etcd') ?? 'etcd', folder, members, certificates, flags };
}
