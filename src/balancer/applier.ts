import type { BalancerView } from '../registry/index.ts';
import { claimEndpoints, claimPorts } from './claims.ts';
import type { Claims } from './claims.ts';
import { haproxyEnded, haproxySilent, notTakenUp } from './errors.ts';
import type { Configuration, HaproxyProcess } from './haproxy-process.ts';
import { withRests } from './observation.ts';
import { commandsOf, membersNotUp, planBalancer, planMembers } from './plan.ts';
import type { MemberChange } from './plan.ts';
import type { PortGuard } from './port-guard.ts';
import type { Result } from './receipts.ts';
import type { RestartPace } from './restart-pace.ts';
import { renderConfiguration, structureOf } from './render.ts';
import type { RenderOptions } from './render.ts';
import { sessionsOf } from './sessions.ts';
import { SHOW_STATISTICS } from './statistics.ts';
import type { RuntimeServer } from './servers-state.ts';
import { endpoint, wantedBackend } from './wanted.ts';
import type { WantedBackend } from './wanted.ts';

/** What HAProxy shows after a view was applied. */
export interface Applied {
  readonly result: Result;
  readonly servers: readonly RuntimeServer[];
  /** Why a frontend is not there, by service. */
  readonly refused: ReadonlyMap<string, string>;
  readonly complaints: readonly string[];
  /** The file that a restart should read from now on; null: none runs. */
  readonly text: string | null;
}

export interface ApplierOptions {
  readonly haproxy: HaproxyProcess;
  readonly guard: PortGuard;
  readonly render: Omit<RenderOptions, 'address'>;
  readonly pace: RestartPace;
  /** Members that get no traffic for now, by `memberName`. */
  readonly resting: () => ReadonlySet<string>;
  readonly portRetryMs: number;
  readonly signal: AbortSignal;
}

/** A server that appears, or goes, between two calls makes one round of changes fall short; more rounds are a fault. */
const ROUNDS = 4;

/** Brings HAProxy to what a view says, by the least disruptive act, and looks whether it is so. */
export class ViewApplier {
  readonly #options: ApplierOptions;

  constructor(options: ApplierOptions) {
    this.#options = options;
  }

  /** @throws what stood in the way: HAProxy missing, silent, refusing or dead */
  async apply(view: BalancerView): Promise<Applied> {
    const { haproxy, guard } = this.#options;
    if (view.frontends.length > 0) await haproxy.clear();
    const claims = await claimPorts(guard, view, new Set(haproxy.endpoints));
    const backends = claims.usable.map(wantedBackend);
    if (backends.length === 0 && haproxy.pid === null) return this.#done(claims, [], null);
    const configuration = this.#configure(view, backends);
    const servers = await this.#converge(configuration, this.#rested(backends));
    return this.#done(claims, servers, configuration.text);
  }

  /** Starts again what ended while no agent looked, with its last members, unless somebody took one of its ports. */
  async resume(): Promise<void> {
    const { haproxy, guard } = this.#options;
    const lost = await haproxy.lost();
    if (lost === null) return;
    await haproxy.clear();
    if (await claimEndpoints(guard, lost.endpoints)) await this.#start(lost);
  }

  /** Updates the members of those backends that HAProxy has, when its structure cannot be had: the best that can be done. */
  async applyMembers(view: BalancerView): Promise<readonly RuntimeServer[]> {
    const { runtime } = this.#options.haproxy;
    const present = new Set((await runtime.call('show backend')).split('\n'));
    const backends = this.#rested(view.frontends.map(wantedBackend).filter((backend) => present.has(backend.name)));
    const known = new Set(backends.map((backend) => backend.name));
    const servers = (await runtime.servers()).filter((server) => known.has(server.backend));
    const changes = planMembers(servers, backends);
    return changes.length === 0 ? servers : await this.#change(changes);
  }

  #rested(backends: readonly WantedBackend[]): WantedBackend[] {
    const resting = this.#options.resting();
    return backends.map((backend) => withRests(backend, resting));
  }

  #configure(view: BalancerView, backends: readonly WantedBackend[]): Configuration {
    const render = { ...this.#options.render, address: view.address };
    return {
      text: renderConfiguration(render, backends),
      structure: structureOf(render, backends),
      endpoints: backends.map((backend) => endpoint(view.address, backend.port)),
    };
  }

  async #converge(configuration: Configuration, backends: readonly WantedBackend[]): Promise<readonly RuntimeServer[]> {
    const { haproxy, signal } = this.#options;
    const wanted = { structure: configuration.structure, backends };
    let servers: readonly RuntimeServer[] | null = haproxy.pid === null ? null : await haproxy.runtime.servers();
    for (let round = 0; round < ROUNDS; round++) {
      const plan = planBalancer(servers === null ? null : { structure: haproxy.structure, servers }, wanted);
      if (plan.type === 'nothing') break;
      if (plan.type === 'members') {
        servers = await this.#change(plan.changes);
        continue;
      }
      await (plan.type === 'start' ? this.#start(configuration) : haproxy.reload(configuration, signal));
      servers = await haproxy.runtime.servers();
    }
    await this.#endLeftSessions(servers ?? [], backends);
    await this.#confirm(servers ?? [], backends);
    return servers ?? [];
  }

  /** Only what was really started counts for the pace, also when it ended again at once. */
  async #start(configuration: Configuration): Promise<void> {
    const { haproxy, pace, signal } = this.#options;
    pace.check();
    try {
      await haproxy.start(configuration, signal);
      pace.count();
    } catch (error) {
      const { code } = error as { code?: unknown };
      if (code === haproxyEnded.code || code === haproxySilent.code) pace.count();
      throw error;
    }
  }

  async #change(changes: readonly MemberChange[]): Promise<readonly RuntimeServer[]> {
    const { haproxy } = this.#options;
    const servers = await haproxy.runtime.servers(changes.flatMap(commandsOf));
    const closing = new Set(changes.flatMap((one) => (one.type === 'leave' && one.closeSessions ? [one.server] : [])));
    const closed = servers.filter(({ backend, name }) => closing.has(`${backend}/${name}`));
    if (closed.length > 0) await haproxy.endOldSessions(sessionsOf(closed)).catch(() => undefined);
    return servers;
  }

  /**
   * Ends tcp sessions that a worker left by a reload has to members which are gone: those that left with the reload itself
   * were never told to leave. A worker that does not answer costs nobody the receipt; the next comparison asks again.
   */
  async #endLeftSessions(servers: readonly RuntimeServer[], backends: readonly WantedBackend[]): Promise<void> {
    const tcp = new Set(backends.filter(({ protocol }) => protocol === 'tcp').map(({ name }) => name));
    if (tcp.size === 0) return;
    const isHere = sessionsOf(servers);
    await this.#options.haproxy.endOldSessions((one) => tcp.has(one.backend) && !isHere(one)).catch(() => undefined);
  }

  /** What was reloaded behind drover's back is not the structure that was recorded: the next attempt reloads. */
  async #confirm(servers: readonly RuntimeServer[], backends: readonly WantedBackend[]): Promise<void> {
    const missing = planMembers(servers, backends).map((change) => `${change.type} ${change.server}`);
    const wrong = [...missing, ...membersNotUp(servers).map((server) => `${server} is not up`)];
    if (wrong.length === 0) return;
    await this.#options.haproxy.forgetStructure();
    throw notTakenUp(wrong.slice(0, 5).join(', '));
  }

  #done(claims: Claims, servers: readonly RuntimeServer[], text: string | null): Applied {
    const { refused, complaints } = claims;
    const reasons = [...refused].map(([service, reason]) => `${service}: ${reason}`).concat(complaints);
    const result: Result =
      reasons.length === 0
        ? { outcome: 'applied' }
        : { outcome: 'failed', reason: reasons.join('; '), retryInMs: this.#options.portRetryMs };
    return { result, servers, refused, complaints, text };
  }

  /** The counters of all servers, in the worker and in those that reloads left. */
  async statistics(): Promise<string> {
    const { haproxy } = this.#options;
    const [current, old] = await Promise.all([
      haproxy.runtime.call(SHOW_STATISTICS),
      haproxy.runInOldWorkers([SHOW_STATISTICS]).catch(() => ''),
    ]);
    return `${current}\n${old}`;
  }
}
