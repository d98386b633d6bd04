import { messageOf } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import type { Batch, Entry, Revision, Store } from './contract.ts';
import { DUTIES, dutyKey, dutyRecord } from './duty-key.ts';
import type { Duty } from './duty.ts';
import { isCompacted } from './errors.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { LeasedDuty } from './leased-duty.ts';

export interface DutiesOptions {
  readonly store: Pick<Store, 'read' | 'commit' | 'watch' | 'lease' | 'status'>;
  /** This server's name. */
  readonly holder: string;
  readonly ttlMs: number;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
  /** Told of what failed; it is tried again. */
  readonly report?: (error: unknown) => void;
}

/** One that has many duties already waits this part of the TTL longer for each, so that others get some. */
const STEP = 1 / 40;

/**
 * The duties of one server: all keys under one lease, which is one renewal for all of them, and one watch. Each duty has a key of its
 * own, so that several servers share the work.
 */
export class Duties implements AsyncDisposable {
  readonly #options: DutiesOptions;
  readonly #keeper: LeaseKeeper;
  readonly #duties = new Map<string, LeasedDuty>();
  readonly #closing = new AbortController();
  /** The duties' keys as they are at `#revision`; null before they were read. */
  #keys: Map<string, Entry> | null = null;
  #revision: Revision = 0;
  #following: Promise<void> = Promise.resolve();

  /** Returns at once; duties are got when the store answers. */
  static start(options: DutiesOptions): Duties {
    const duties = new Duties(options);
    duties.#following = duties.#follow();
    return duties;
  }

  private constructor(options: DutiesOptions) {
    this.#options = options;
    const { store, ttlMs, clock, report } = options;
    this.#keeper = LeaseKeeper.start({ store, ttlMs, clock, ...(report === undefined ? {} : { report }) });
  }

  /** The duty of that name; campaigned for from the first time that it is asked for. */
  duty(name: string): Duty {
    const known = this.#duties.get(name);
    if (known !== undefined) return known;
    const { store, holder, clock, report } = this.#options;
    const duty = new LeasedDuty({
      name,
      holder,
      store,
      keeper: this.#keeper,
      clock,
      delayMs: () => this.#delayMs(),
      isAlone: store.status().engine === 'sqlite',
      ...(report === undefined ? {} : { report }),
    });
    this.#duties.set(name, duty);
    if (this.#closing.signal.aborted) duty.close();
    else if (this.#keys !== null) duty.see(this.#keys.get(dutyKey(name)) ?? null, this.#revision);
    return duty;
  }

  /** Which server has a duty, as far as is known here; null for none. */
  holder(name: string): string | null {
    const entry = this.#keys?.get(dutyKey(name));
    return entry === undefined ? null : (dutyRecord(entry)?.holder ?? null);
  }

  /** Resigns from all duties: others need not wait until the lease has run out. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort();
    for (const duty of this.#duties.values()) duty.close();
    await this.#keeper[Symbol.asyncDispose]();
    await this.#following;
  }

  #delayMs(): number {
    const { random, ttlMs } = this.#options;
    let held = 0;
    for (const duty of this.#duties.values()) if (duty.fence !== null) held++;
    return (held + random()) * ttlMs * STEP;
  }

  /** Never rejects: what fails is reported, once in a row, and begun again. */
  async #follow(): Promise<void> {
    const { signal } = this.#closing;
    const { store, clock, ttlMs, random, report } = this.#options;
    let said = '';
    while (!signal.aborted) {
      try {
        await this.#read();
        said = '';
        for await (const batch of store.watch(DUTIES, this.#revision, signal)) this.#apply(batch);
      } catch (error) {
        if (signal.aborted) return;
        if (!isCompacted(error) && messageOf(error) !== said) report?.(error);
        said = messageOf(error);
      }
      await clock.sleep((0.5 + random()) * ttlMs * STEP * 4, signal).catch(() => undefined);
    }
  }

  async #read(): Promise<void> {
    const { entries, revision } = await this.#options.store.read(DUTIES);
    this.#keys = new Map(entries.map((entry) => [entry.key, entry]));
    this.#revision = revision;
    for (const { name } of this.#duties.values()) this.#show(name);
  }

  #apply({ revision, events }: Batch): void {
    if (this.#keys === null) return;
    this.#revision = revision;
    for (const event of events) {
      const key = event.type === 'put' ? event.entry.key : event.key;
      if (event.type === 'put') this.#keys.set(key, event.entry);
      else this.#keys.delete(key);
      this.#show(key.slice(DUTIES.start.length));
    }
  }

  #show(name: string): void {
    this.#duties.get(name)?.see(this.#keys?.get(dutyKey(name)) ?? null, this.#revision);
  }
}
