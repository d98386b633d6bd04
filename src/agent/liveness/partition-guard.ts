import { messageOf, type Clock } from '../../lib/index.ts';
import type { Catalog, Feed } from '../../registry/index.ts';
import type { Log } from '../log.ts';
import { ALARM_KEY, type AlarmState, type KnownAlarm, type PartitionAlarm } from './alarm-state.ts';
import { CROWD_MS, crowdOf, type Vanished } from './crowd.ts';
import { crowdLimit, endOfAlarm, sayCrowd, weighCrowd, type AlarmEnd, type Crowd } from './guard.ts';
import type { Silence } from './silence.ts';

export interface PartitionGuardOptions {
  readonly server: string;
  readonly catalog: Pick<Catalog, 'node' | 'nodes'>;
  readonly feed: Pick<Feed, 'commit'>;
  readonly alarms: Pick<AlarmState, 'alarm'>;
  /** Whether the store takes writes, as far as is known. */
  readonly takesWrites: () => boolean;
  readonly alarmForMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** An alarm, and since when this server has known of it. */
interface Standing {
  readonly alarm: KnownAlarm;
  readonly sinceMs: number;
}

const READ_EVERY_MS = 1_000;

/**
 * Keeps the nodes of a region from being said down when so many vanish at once, on so thin evidence, that it looks like a partition
 * (decision 191). Every server judges by the whole catalog; the alarm is one for all, in the store, and ends by itself.
 */
export class PartitionGuard {
  readonly #options: PartitionGuardOptions;
  /** When this server first knew of each node that is lost; -Infinity for those that were when it began. */
  readonly #lostAtMs = new Map<string, number>();
  #standing: Standing | null = null;
  /** Raised here while it cannot be written. */
  #held: Standing | null = null;
  /** What vanished before an alarm ended raises no other. */
  #forgivenMs = -Infinity;
  #saidLost: readonly string[] = [];
  #readAtMs = -Infinity;
  #isFirst = true;
  #isWriting = false;

  constructor(options: PartitionGuardOptions) {
    this.#options = options;
  }

  /** An alarm that only this server knows of, because it cannot be written; null: there is none. */
  get held(): KnownAlarm | null {
    return this.#held?.alarm ?? null;
  }

  /** Whether nobody is to be said down now. `suspects`: nodes that this server is about to suspect, or does. */
  look(nowMs: number, suspects: readonly (readonly [string, Silence])[]): boolean {
    const due = new Map(suspects);
    this.#notice(nowMs, due);
    this.#follow(nowMs);
    if (this.#standing !== null) {
      this.#judgeAlarm(
        this.#standing,
        nowMs,
        this.#crowd(due, () => true),
      );
      return true;
    }
    if (this.#held !== null) return this.#judgeHeld(this.#held, nowMs, due);
    const from = Math.max(nowMs - CROWD_MS, this.#forgivenMs);
    const recent = [...this.#lostAtMs.values()].filter((atMs) => atMs > from).length;
    if (recent <= crowdLimit(0)) return false;
    const crowd = this.#crowd(due, (atMs) => atMs > from);
    const word = weighCrowd(crowd);
    if (word === 'hold') this.#raise(this.#newAlarm(crowd), nowMs);
    return word !== 'calm';
  }

  #notice(nowMs: number, due: ReadonlyMap<string, Silence>): void {
    const lost = new Set([...due.keys(), ...this.#said(nowMs)]);
    for (const name of this.#lostAtMs.keys()) if (!lost.has(name)) this.#lostAtMs.delete(name);
    for (const name of lost) if (!this.#lostAtMs.has(name)) this.#lostAtMs.set(name, this.#isFirst ? -Infinity : nowMs);
    this.#isFirst = false;
  }

  /** Nodes that are suspected or down by the catalog; of a large region not at every look. */
  #said(nowMs: number): readonly string[] {
    if (nowMs < this.#readAtMs) return this.#saidLost;
    this.#readAtMs = nowMs + READ_EVERY_MS;
    this.#saidLost = this.#options.catalog
      .nodes()
      .filter(({ record, alive }) => !record.external && (alive.status === 'suspected' || alive.status === 'down'))
      .map(({ record }) => record.name);
    return this.#saidLost;
  }

  /** Takes up an alarm that was raised or ended, by whichever server. */
  #follow(nowMs: number): void {
    const { alarms, log } = this.#options;
    const { alarm } = alarms;
    if (alarm?.modRevision === this.#standing?.alarm.modRevision) return;
    this.#held = null;
    if (alarm === null) {
      this.#forgivenMs = nowMs;
      log.info({}, 'the partition alarm has ended');
    } else log.error({ forMs: alarm.forMs }, `partition alarm of ${alarm.server}: ${alarm.why}; nobody is said down`);
    this.#standing = alarm === null ? null : { alarm, sinceMs: nowMs };
  }

  #raise(alarm: PartitionAlarm, nowMs: number): void {
    if (this.#options.takesWrites()) return void this.#write(alarm, null);
    this.#held = { alarm: { ...alarm, modRevision: 0 }, sinceMs: nowMs };
    this.#options.log.error({}, `partition alarm, which cannot be written: ${alarm.why}; nobody is said down`);
  }

  /** As one that is written, which it is as soon as that can be. */
  #judgeHeld({ alarm, sinceMs }: Standing, nowMs: number, due: ReadonlyMap<string, Silence>): boolean {
    const { takesWrites, log } = this.#options;
    const crowd = this.#crowd(due, () => true);
    const end = endOfAlarm({ ageMs: nowMs - sinceMs, forMs: alarm.forMs }, crowd);
    if (end !== null) {
      log.info({}, `the partition alarm ends: ${END[end]}; ${sayCrowd(crowd)}`);
      this.#forgivenMs = nowMs;
      this.#held = null;
    } else if (takesWrites()) {
      const { modRevision: _none, ...written } = alarm;
      void this.#write(written, null);
    }
    return end === null;
  }

  #judgeAlarm({ alarm, sinceMs }: Standing, nowMs: number, crowd: Crowd): void {
    const end = endOfAlarm({ ageMs: nowMs - sinceMs, forMs: alarm.forMs }, crowd);
    if (end === null) return;
    this.#options.log.info({}, `the partition alarm ends: ${END[end]}; ${sayCrowd(crowd)}`);
    void this.#write(null, alarm);
  }

  #crowd(due: ReadonlyMap<string, Silence>, counts: (atMs: number) => boolean): Crowd {
    const { catalog } = this.#options;
    const vanished: Vanished[] = [];
    for (const [name, atMs] of this.#lostAtMs) {
      const node = catalog.node(name);
      if (node === undefined || !counts(atMs) || node.alive.released === true) continue;
      const silence = due.get(name);
      // One that is down for long is nothing that vanishes.
      if (node.alive.status === 'down' && atMs <= this.#forgivenMs) continue;
      vanished.push({ node, findings: silence?.findings ?? null, isUnseen: silence?.findings === null });
    }
    const names = new Set(vanished.map(({ node }) => node.record.name));
    const total = catalog.nodes().filter(({ record, alive }) => {
      return !record.external && (alive.status === 'up' || alive.status === 'suspected' || names.has(record.name));
    }).length;
    return crowdOf(total, vanished);
  }

  #newAlarm(crowd: Crowd): PartitionAlarm {
    const { server, alarmForMs: forMs, clock } = this.#options;
    return { server, since: new Date(clock.wall()).toISOString(), forMs, why: sayCrowd(crowd) };
  }

  /** Raises an alarm, or ends the one that stands. What fails is tried again at the next look. */
  async #write(alarm: PartitionAlarm | null, standing: KnownAlarm | null): Promise<void> {
    if (this.#isWriting) return;
    this.#isWriting = true;
    const { feed, log } = this.#options;
    try {
      await feed.commit({
        compares: [{ key: ALARM_KEY, modRevision: standing?.modRevision ?? 0 }],
        writes: [
          alarm === null
            ? { type: 'delete', key: ALARM_KEY }
            : { type: 'put', key: ALARM_KEY, value: JSON.stringify(alarm) },
        ],
      });
    } catch (error) {
      log.warn({}, `the partition alarm was not written: ${messageOf(error)}`);
    } finally {
      this.#isWriting = false;
    }
  }
}

const END: Readonly<Record<AlarmEnd, string>> = Object.freeze({
  expired: 'its time is up',
  back: 'nodes are back',
  confirmed: 'probes confirm that they are gone',
});
