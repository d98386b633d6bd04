import { systemClock } from '../../../src/lib/index.ts';
import { Duties, type Duty, type Store } from '../../../src/store/index.ts';
import type { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';
import { EFFECT_KEY } from './store-witness.ts';

export interface DutyWriterOptions {
  readonly store: Store;
  readonly name: string;
  readonly random: Seeded;
  readonly ttlMs: number;
  /** Writes go without the fence: what must be found out. */
  readonly isUnfenced?: boolean;
}

/** As often a holder stops between having decided to write and writing, for longer than its lease, as a stopped process does. */
const STALL = 0.04;

/** One of several that contend for a duty and write what fence they have: the order of the writes tells whether an old one had effect. */
export class DutyWriter implements AsyncDisposable {
  readonly #options: DutyWriterOptions;
  readonly #duties: Duties;
  readonly #duty: Duty;
  written = 0;
  refused = 0;

  constructor(options: DutyWriterOptions) {
    this.#options = options;
    const { store, name, ttlMs, random } = options;
    this.#duties = Duties.start({ store, holder: name, ttlMs, clock: systemClock, random: () => random.next() });
    this.#duty = this.#duties.duty('faults');
  }

  async run(signal: AbortSignal): Promise<void> {
    const { random, ttlMs } = this.#options;
    while (!signal.aborted) {
      const { fence } = this.#duty;
      if (fence !== null) {
        if (random.next() < STALL) await sleep(ttlMs * (1 + random.next()) + 1_000, signal);
        await this.write(fence);
      }
      await sleep(50 + random.below(100), signal);
    }
  }

  /** What a holder writes that had this fence when it decided to. */
  async write(fence: NonNullable<Duty['fence']>): Promise<void> {
    const { store, isUnfenced = false } = this.#options;
    const compares = isUnfenced ? [] : [fence];
    const value = String(fence.modRevision);
    const outcome = await store
      .commit({ compares, writes: [{ type: 'put', key: EFFECT_KEY, value }] })
      .catch(() => null);
    if (outcome?.ok === true) this.written++;
    else this.refused++;
  }

  /** The fence, as soon as there is one. */
  async elected(): Promise<NonNullable<Duty['fence']>> {
    for (;;) {
      const { fence } = this.#duty;
      if (fence !== null) return fence;
      await sleep(20);
    }
  }

  /** Stops renewing, as a stopped process does, and keeps what it knows. */
  async stall(): Promise<void> {
    await this.#duties[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#duties[Symbol.asyncDispose]();
  }
}
