import { prefixRange, type Batch, type Entry, type Store, type StoreEvent } from '../../../src/store/index.ts';
import { until } from '../until.ts';
import type { Findings } from './invariants.ts';

/** Where the duties' test writes, with the fence it had; where lock holders write, with the lock's index. */
export const EFFECT_KEY = 'cfg/faults-effect';
export const GUARDED_KEY = 'kv/guarded';
const SESSIONS = 'sess/';
const LOCKS = 'kv/lock/';
const SETTLE_MS = 20_000;

/**
 * Watches the whole store from the outside during a run, through the same driver as a server: that the watch is complete and in order
 * (4), and what can be seen from the order of writes: sessions' ends (7), fences (8), locks (9), instances that vanish (10).
 */
export class StoreWitness {
  readonly #store: Store;
  readonly #findings: Findings;
  /** Services that nobody deregisters. */
  readonly #lasting: (key: string) => boolean;
  #held = new Map<string, Entry>();
  #revision = 0;
  #lastFence = 0;
  #lastGuard = 0;
  resyncs = 0;
  batches = 0;

  constructor(store: Store, findings: Findings, lasting: (key: string) => boolean) {
    this.#store = store;
    this.#findings = findings;
    this.#lasting = lasting;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#resync();
        for await (const batch of this.#store.watch(prefixRange(''), this.#revision, signal)) this.#take(batch);
      } catch (error) {
        if ((error as { code?: string }).code !== 'STORE_COMPACTED')
          await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }

  /** What was watched is what the store holds, at a revision of now. */
  async check(): Promise<void> {
    const { entries, revision } = await this.#store.read(prefixRange(''), { linearizable: true });
    await until(
      () => this.#revision >= revision,
      SETTLE_MS,
      () => `the watch is at ${this.#revision}, the store at ${revision}`,
    );
    const stored = new Map(entries.map((entry) => [entry.key, entry]));
    const changed = (key: string): boolean => (this.#held.get(key)?.modRevision ?? 0) > revision;
    const differing = [...new Set([...stored.keys(), ...this.#held.keys()])].filter(
      (key) => !changed(key) && this.#held.get(key)?.modRevision !== stored.get(key)?.modRevision,
    );
    // What was deleted after the read is not there in the one, and is in the other.
    const lost = this.#revision === revision ? differing : differing.filter((key) => !stored.has(key));
    this.#findings.expect(4, lost.length === 0, () => `watched and stored differ at ${lost.slice(0, 5).join(', ')}`);
  }

  async #resync(): Promise<void> {
    const { entries, revision } = await this.#store.read(prefixRange(''), { linearizable: true });
    if (this.#revision > 0) this.resyncs++;
    this.#held = new Map(entries.map((entry) => [entry.key, entry]));
    this.#revision = revision;
  }

  #take(batch: Batch): void {
    const before = this.#revision;
    this.batches++;
    this.#findings.expect(4, batch.revision > before, () => `revision ${batch.revision} came after ${before}`);
    for (const event of batch.events) this.#order(event, batch.revision);
    const ended = batch.events.filter((event) => event.type === 'delete' && event.key.startsWith(SESSIONS));
    for (const event of batch.events) this.#apply(event);
    this.#revision = batch.revision;
    for (const event of ended) this.#released((event as { key: string }).key.slice(SESSIONS.length), batch.revision);
  }

  /** Each event follows from what was before. */
  #order(event: StoreEvent, revision: number): void {
    if (event.type === 'delete') {
      this.#findings.expect(
        4,
        this.#held.has(event.key),
        () => `${event.key} is deleted at ${revision} and was not there`,
      );
      if (this.#lasting(event.key)) this.#findings.expect(10, false, () => `${event.key} is deleted at ${revision}`);
      return;
    }
    const { key, modRevision, createRevision } = event.entry;
    const known = this.#held.get(key);
    const follows =
      known === undefined ? true : modRevision > known.modRevision && createRevision >= known.createRevision;
    this.#findings.expect(
      4,
      follows && modRevision <= revision,
      () => `${key} is put at ${modRevision} after ${known?.modRevision}`,
    );
    if (key === EFFECT_KEY) this.#fence(event.entry);
    if (key === GUARDED_KEY) this.#guard(event.entry);
  }

  #apply(event: StoreEvent): void {
    if (event.type === 'delete') this.#held.delete(event.key);
    else this.#held.set(event.entry.key, event.entry);
  }

  #fence({ value, modRevision }: Entry): void {
    const fence = Number(value);
    const last = this.#lastFence;
    this.#findings.expect(8, fence >= last, () => `fence ${fence} writes at ${modRevision}, after fence ${last}`);
    this.#lastFence = Math.max(last, fence);
  }

  #guard({ value, modRevision }: Entry): void {
    const guard = Number(Buffer.from((JSON.parse(value) as { value: string }).value, 'base64').toString());
    const last = this.#lastGuard;
    this.#findings.expect(
      9,
      guard >= last,
      () => `the holder of lock ${guard} writes at ${modRevision}, after that of ${last}`,
    );
    this.#lastGuard = Math.max(last, guard);
  }

  /** A session that ended holds no lock any more, from the same revision on. */
  #released(session: string, revision: number): void {
    const locks = [...this.#held.values()].filter(({ key, value }) => key.startsWith(LOCKS) && value.includes(session));
    this.#findings.expect(
      7,
      locks.length === 0,
      () => `session ${session} ended at ${revision} and still holds ${locks[0]?.key}`,
    );
  }
}
