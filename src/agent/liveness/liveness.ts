import { messageOf, type Clock, type Timer, type Timing } from '../../lib/index.ts';
import {
  isToBeMadeAgain,
  type AliveRecord,
  type AliveWrites,
  type Catalog,
  type CatalogNode,
  type Feed,
} from '../../registry/index.ts';
import type { Fence, Revision } from '../../store/index.ts';
import { nodeUnsettled, notSuspected } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AlarmState, KnownAlarm } from './alarm-state.ts';
import { Attention } from './attention.ts';
import { PartitionGuard } from './partition-guard.ts';
import { probeTargets } from './findings.ts';
import { judge, type Judgement } from './judge.ts';
import { Prober, type AskWitness } from './prober.ts';
import { Probes, Silence } from './silence.ts';
import type { TcpProbe } from './tcp-probe.ts';
import { whoseNode } from './whose.ts';

export interface LivenessOptions {
  /** This server's name. */
  readonly server: string;
  readonly catalog: Pick<Catalog, 'node' | 'nodes' | 'nodeState' | 'definition'>;
  readonly feed: Pick<Feed, 'commit'>;
  readonly writes: Pick<AliveWrites, 'say' | 'hold' | 'isHeld' | 'owed' | 'takesWrites'>;
  readonly alarms: Pick<AlarmState, 'alarm'>;
  /** Of the duty for nodes whose server is gone. */
  readonly fence: Fence;
  readonly isRunning: (server: string) => boolean;
  readonly probe: TcpProbe;
  readonly ask: AskWitness;
  /** How long a partition alarm stands at most. */
  readonly alarmForMs: number;
  readonly timing: Pick<Timing, 'heartbeatMs' | 'suspectedAfterMs' | 'graceMs'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/**
 * Says which nodes live (design 5): one that nobody hears is suspected after a silence, with those of its instances that probes find
 * dead, and down after the grace; one that is linked is up. A server speaks for the nodes that were linked to it last, and with
 * the duty for those whose server is gone. Nodes that no agent vouches for, and those that left, are let be.
 */
export class Liveness implements Disposable {
  readonly #options: LivenessOptions;
  readonly #prober: Prober;
  readonly #guard: PartitionGuard;
  readonly #attention: Attention;
  readonly #lookEveryMs: number;
  readonly #linked = new Set<string>();
  readonly #silences = new Map<string, Silence>();
  /** Of nodes that are linked, of which a sign of life was late. */
  readonly #early = new Map<string, Probes>();
  readonly #saying = new Set<string>();
  /** Nodes that greeted while nothing could be written, by the revision at which `own/` says something else. */
  readonly #unclaimed = new Map<string, Revision>();
  #scanAtMs = 0;
  /** In time of attention: when nothing could be written last. */
  #writelessAtMs = -Infinity;
  /** Why the last write failed; empty when it did not. */
  #failure = '';
  #timer: Timer | null = null;
  #isResting = false;

  constructor(options: LivenessOptions) {
    this.#options = options;
    const { clock, random, log, probe, ask, timing } = options;
    this.#lookEveryMs = timing.heartbeatMs / 4;
    this.#attention = new Attention(this.#lookEveryMs, clock.now());
    this.#prober = new Prober({
      probe,
      ask,
      witnesses: (about) => this.#witnesses(about),
      random,
      debug: (text) => log.debug({}, text),
    });
    this.#guard = new PartitionGuard({ ...options, takesWrites: () => options.writes.takesWrites });
  }

  /** Begins to look; nodes that the region knows from before get a grace to link, then they are suspected. */
  expectAll(): void {
    this.#linked.clear();
    this.#silences.clear();
    this.#early.clear();
    this.#scan();
    this.#arm();
  }

  /** The partition alarm that stands; null: none does. */
  get alarm(): KnownAlarm | null {
    return this.#options.alarms.alarm ?? this.#guard.held;
  }

  linked(node: string): void {
    this.#linked.add(node);
    this.#silences.delete(node);
    this.#early.delete(node);
    if (this.#options.writes.takesWrites) this.#unclaimed.delete(node);
    else this.#unclaimed.set(node, this.#ownedAt(node));
    // Also where it is up by its greeting: a suspicion may have been on its way.
    this.#confirm(node);
  }

  /**
   * A sign of life of a linked node is late. Its instances are looked at, so that what is dead is known when the silence is over: probes
   * of a machine that is gone take long. Nobody is accused on account of that alone.
   */
  quiet(node: string): void {
    if (this.#isResting || !this.#linked.has(node)) return;
    const probes = this.#early.get(node) ?? new Probes();
    this.#early.set(node, probes);
    this.#attention.look(this.#options.clock.now());
    this.#probe(node, probes);
  }

  /** `silentForMs`: how long nothing had come when its link was given up. */
  unlinked(node: string, reason: string, silentForMs = 0): void {
    this.#linked.delete(node);
    this.#silences.delete(node);
    if (this.#isResting) return;
    const { suspectedAfterMs } = this.#options.timing;
    const reasonText = `its link is gone: ${reason}`;
    this.#begin(node, reasonText, Math.max(0, suspectedAfterMs - silentForMs));
  }

  /**
   * Lets go of a node that a partition alarm keeps from being said down; by hand, whichever server speaks for it.
   *
   * @throws AGENT_NOT_SUSPECTED, AGENT_NODE_UNSETTLED when it changed at the same time, and what the store throws
   */
  async release(name: string): Promise<Revision> {
    const alive = this.#options.catalog.node(name)?.alive;
    if (alive?.status !== 'suspected') throw notSuspected(name, alive?.status ?? 'unknown');
    const revision = await this.#options.writes.say(name, { ...alive, released: true });
    if (revision === null) throw nodeUnsettled(name);
    return revision;
  }

  /** Says nothing any more: when a server stops, its own nodes go with it and are not lost. */
  rest(): void {
    this.#isResting = true;
    this.#timer?.cancel();
    this.#silences.clear();
    this.#early.clear();
  }

  [Symbol.dispose](): void {
    this.rest();
  }

  #arm(): void {
    this.#timer?.cancel();
    if (this.#isResting) return;
    this.#timer = this.#options.clock.after(this.#lookEveryMs, () => {
      this.#arm();
      this.#look();
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.now();
    this.#attention.look(nowMs);
    if (nowMs >= this.#scanAtMs) this.#scan();
    const due = this.#due();
    const isHeld = this.#guard.look(nowMs, due);
    if (!this.#options.writes.takesWrites) this.#writelessAtMs = this.#attention.spentMs;
    for (const [name, silence] of due) this.#examine(name, silence, isHeld);
    this.#payOwed();
  }

  /** Whoever is not linked here, and for whom this server speaks, is silent; whoever is linked is up. */
  #scan(): void {
    const { catalog, clock, timing } = this.#options;
    this.#scanAtMs = clock.now() + Math.max(timing.heartbeatMs, 1_000);
    for (const node of catalog.nodes()) {
      const { name } = node.record;
      if (this.#linked.has(name)) this.#confirm(name);
      else if (this.#isExpected(node)) this.#begin(name, this.#reasonFor(name), timing.graceMs);
      else this.#silences.delete(name);
    }
    for (const name of this.#silences.keys()) if (catalog.node(name) === undefined) this.#silences.delete(name);
  }

  #begin(name: string, reason: string, suspectedAfterMs: number): void {
    if (this.#silences.has(name)) return;
    const { timing, clock } = this.#options;
    const { graceMs } = timing;
    this.#attention.look(clock.now());
    const sinceMs = this.#attention.spentMs;
    // One that is suspected already gets the grace anew: whoever suspected it is gone, and it may be on its way to another.
    const isKnown = this.#options.catalog.node(name)?.alive.status === 'suspected';
    this.#silences.set(
      name,
      new Silence({
        reason,
        sinceMs,
        suspectedAfterMs: isKnown ? 0 : suspectedAfterMs,
        graceMs,
        probes: this.#takeEarly(name),
      }),
    );
  }

  /** What was begun when a sign of life was late, unless it is of a silence before this one. */
  #takeEarly(name: string): Probes | undefined {
    const probes = this.#early.get(name);
    this.#early.delete(name);
    const atMs = this.#attention.spentMs;
    return probes !== undefined && atMs - probes.beganAtMs <= this.#options.timing.suspectedAfterMs
      ? probes
      : undefined;
  }

  #isExpected(node: CatalogNode): boolean {
    const { record, alive } = node;
    if (record.external || alive.status === 'left') return false;
    if (alive.status === 'down' && (alive.answering?.length ?? 0) === 0) return false;
    return this.speaksFor(record.name);
  }

  /** Whether this server is the one to say something of a node now, linked or not. */
  speaksFor(name: string): boolean {
    if (this.#linked.has(name)) return true;
    const speaker = this.#speakerOf(name);
    return speaker === 'own' || (speaker === 'duty' && this.#options.fence() !== null);
  }

  #speakerOf(name: string): ReturnType<typeof whoseNode> {
    const { catalog, server, isRunning } = this.#options;
    if (this.#unclaimed.get(name) === this.#ownedAt(name)) return 'own';
    return whoseNode(catalog.nodeState(name)?.owner, server, isRunning);
  }

  #ownedAt(name: string): Revision {
    return this.#options.catalog.nodeState(name)?.owner?.modRevision ?? 0;
  }

  #reasonFor(name: string): string {
    const { catalog, server } = this.#options;
    const last = catalog.nodeState(name)?.owner?.server;
    return last === undefined || last === server
      ? 'it has not linked since the server started'
      : `its server ${last} is gone, and it has not linked to another`;
  }

  /** Those that are to be suspected, or are. */
  #due(): [string, Silence][] {
    const { catalog } = this.#options;
    const { spentMs, factor } = this.#attention;
    return [...this.#silences].filter(([name, silence]) => {
      const node = catalog.node(name);
      if (node === undefined || node.record.external || !silence.isDue(spentMs, factor, node.alive)) return false;
      // It may have linked to another server since, before its silence was noticed here.
      return this.speaksFor(name);
    });
  }

  #examine(name: string, silence: Silence, isHeld: boolean): void {
    this.#probe(name, silence.probes);
    const node = this.#options.catalog.node(name);
    if (node === undefined) return;
    const { timing } = this.#options;
    const { spentMs, factor } = this.#attention;
    const judgement = judge({
      alive: node.alive,
      reason: silence.reason,
      silentForMs: spentMs - silence.sinceMs,
      suspectedAfterMs: silence.suspectedAfterMs * factor,
      // It may have linked to another server, which could not write that either.
      downAfterMs: Math.max(silence.downAfterMs * factor, this.#writelessAtMs + timing.graceMs - silence.sinceMs),
      findings: silence.findings,
      isHeld,
    });
    if (judgement !== null) void this.#say(name, node.alive, judgement);
  }

  /** Again and again while it is silent: an instance may die later, or be reached again. */
  #probe(name: string, probes: Probes): void {
    const { catalog, timing } = this.#options;
    const node = catalog.node(name);
    const { spentMs, factor } = this.#attention;
    if (node === undefined || probes.isUnderWay || spentMs - probes.beganAtMs < timing.heartbeatMs) return;
    probes.isUnderWay = true;
    probes.beganAtMs = spentMs;
    const { federation } = node.record;
    const targets = probeTargets(node, ({ record }) => catalog.definition(federation, record.service)?.record);
    if (targets.length === 0) probes.findings = new Map();
    void this.#prober.look(name, targets, probeTimeoutMs(timing) * factor).then((round) => {
      probes.take(round);
      // Not only at the next look: every moment counts for whoever still routes there.
      if (this.#silences.get(name)?.probes === probes && !this.#isResting) this.#look();
    });
  }

  #witnesses(about: string): string[] {
    return [...this.#linked].filter((name) => name !== about);
  }

  #confirm(name: string): void {
    const alive = this.#options.catalog.node(name)?.alive;
    if (alive === undefined || alive.status === 'up') return;
    void this.#say(name, alive, { status: 'up', evidence: 'it is linked' });
  }

  async #say(name: string, before: AliveRecord, judgement: Judgement): Promise<void> {
    const { writes, clock } = this.#options;
    if (this.#isResting) return;
    const since = judgement.status === before.status ? before.since : new Date(clock.wall()).toISOString();
    const alive = { ...judgement, since };
    if (!writes.takesWrites || writes.isHeld(name)) return writes.hold(name, alive);
    await this.#write(name, alive);
  }

  /** What could not be written is, now that it can be. */
  #payOwed(): void {
    const { writes } = this.#options;
    if (!writes.takesWrites) return;
    for (const [name, alive] of writes.owed()) void this.#write(name, alive);
  }

  async #write(name: string, alive: AliveRecord): Promise<void> {
    if (this.#saying.has(name)) return;
    const { writes, log } = this.#options;
    const fence = this.#speakerOf(name) === 'duty' && !this.#linked.has(name) ? this.#options.fence() : undefined;
    if (fence === null) return;
    this.#saying.add(name);
    try {
      await writes.say(name, alive, fence);
      this.#failure = '';
    } catch (error) {
      // It is tried at every look: what keeps it from being written is said once.
      if (this.#failure !== messageOf(error)) log.warn({ node: name }, `liveness was not written: ${messageOf(error)}`);
      this.#failure = messageOf(error);
      // Unless it linked meanwhile, or is lost again.
      if (isToBeMadeAgain(error) && this.#linked.has(name) === (alive.status === 'up')) writes.hold(name, alive);
    } finally {
      this.#saying.delete(name);
    }
  }
}

/** A probe takes a third of the time after which a node is suspected, 0.3 s at least. */
function probeTimeoutMs({ suspectedAfterMs }: Pick<Timing, 'suspectedAfterMs'>): number {
  return Math.max(300, suspectedAfterMs / 3);
}
