import { z } from 'zod';
import { KeyedQueue, messageOf, type Clock, type Timer } from '../../lib/index.ts';
import type { RegionQuestions } from '../../link/index.ts';
import type { Catalog, Feed } from '../../registry/index.ts';
import { badSlot, notInGroup, slotsContended } from '../errors.ts';
import { aheadOf, asked, freed, granted, placesOf, runs, type SlotRecord, type SlotWaiter } from './slot-record.ts';
import { slotKey, type SlotState } from './slot-state.ts';
import { whyFreed } from './why-freed.ts';

type Ask = RegionQuestions['slot']['ask'];
type Answer = RegionQuestions['slot']['answer'];

export interface SlotKeeperOptions {
  readonly state: SlotState;
  readonly feed: Pick<Feed, 'commit' | 'applied'>;
  readonly catalog: Pick<Catalog, 'node' | 'nodes'>;
  /** Whether this server speaks for a node now. */
  readonly speaksFor: (node: string) => boolean;
  /** Whether nothing at all comes back from a machine. */
  readonly isSilent: (address: string) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: (text: string) => void;
}

/** What a node asks comes unchecked from another process. */
const ASK = z.object({
  action: z.enum(['take', 'keep', 'release']),
  group: z.string().min(1).max(256),
  most: z.string().max(16),
  limitMs: z.number().min(0).nullable(),
});
const REFUSED: Ask = Object.freeze({ action: 'take', group: '', most: '', limitMs: null });

const ATTEMPTS = 32;
const SWEEP_MS = 1_000;
/** Names of holders that whoever waits is told. */
const TOLD = 20;

/**
 * A server's part in letting at most so many nodes of a group provision at once (P14). Who runs and who waits stands in one key
 * a group, changed only by compare-and-swap: however many servers grant, no more than the limit ever hold a place.
 */
export class SlotKeeper implements AsyncDisposable {
  readonly #options: SlotKeeperOptions;
  readonly #queue = new KeyedQueue();
  /** When its agent last said that it runs, and since when the place is known, by `<group>\0<node>`. */
  readonly #keptAtMs = new Map<string, number>();
  readonly #heldAtMs = new Map<string, number>();
  #timer: Timer | null = null;
  #sweeping: Promise<void> = Promise.resolve();
  #isClosed = false;

  static start(options: SlotKeeperOptions): SlotKeeper {
    const keeper = new SlotKeeper(options);
    keeper.#arm();
    return keeper;
  }

  private constructor(options: SlotKeeperOptions) {
    this.#options = options;
  }

  /** Answers a node. @throws LISTENER_BAD_SLOT, LISTENER_SLOTS_CONTENDED, and what the store throws */
  async answer(asking: Ask, node: string): Promise<Answer> {
    const { data: { action, group, most, limitMs } = REFUSED } = ASK.safeParse(asking);
    if (placesOf(most, 1) === null) throw badSlot(group, most);
    // Giving back what it has is anybody's, also of a node that is of another group by now.
    if (action !== 'release' && this.#options.catalog.node(node)?.record.provisionGroup !== group)
      throw notInGroup(node, group);
    const waiter: SlotWaiter = { node, most, limitMs };
    this.#keptAtMs.set(`${group}\0${node}`, this.#options.clock.now());
    const slots = await this.#change(group, (before) => {
      if (action === 'release') return freed(before, node);
      return action === 'take' ? asked(before, waiter) : runs(before, waiter, this.#wall());
    });
    return {
      granted: slots.holders.some((one) => one.node === node),
      ahead: aheadOf(slots, node),
      holders: slots.holders.slice(0, TOLD).map((one) => one.node),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#sweeping;
  }

  /** One after the other here; other servers are compared with. */
  #change(group: string, change: (slots: SlotRecord) => SlotRecord): Promise<SlotRecord> {
    const { feed, state, catalog } = this.#options;
    const isThere = (node: string): boolean => catalog.node(node)?.alive.status === 'up';
    return this.#queue.run(group, async () => {
      for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
        const { slots, modRevision } = state.get(group);
        const next = granted(change(slots), this.#sizeOf(group), isThere, this.#wall());
        if (next === slots) return slots;
        const key = slotKey(group);
        const isEmpty = next.holders.length + next.queue.length === 0;
        const outcome = await feed.commit({
          compares: [{ key, modRevision }],
          writes: [isEmpty ? { type: 'delete', key } : { type: 'put', key, value: JSON.stringify(next) }],
        });
        if (outcome.ok) return next;
        await feed.applied(outcome.revision);
      }
      throw slotsContended(group, ATTEMPTS);
    });
  }

  /** Nodes of a group that take part now. */
  #sizeOf(group: string): number {
    return this.#options.catalog
      .nodes()
      .filter(({ record, alive }) => record.provisionGroup === group && alive.status !== 'left').length;
  }

  #arm(): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.after(SWEEP_MS, () => {
      this.#sweeping = this.#sweep()
        .catch((error: unknown) => this.#options.log(`places were not looked after: ${messageOf(error)}`))
        .then(() => this.#arm());
    });
  }

  /** Takes places back from those who cannot give them back, and lets those go on who waited for someone that is gone. */
  async #sweep(): Promise<void> {
    const known = new Set<string>();
    for (const group of this.#options.state.groups()) {
      for (const { node, limitMs } of this.#options.state.get(group).slots.holders) {
        known.add(`${group}\0${node}`);
        if (this.#options.speaksFor(node)) await this.#look(group, node, limitMs);
      }
      await this.#change(group, (slots) => slots);
    }
    for (const times of [this.#keptAtMs, this.#heldAtMs])
      for (const key of times.keys()) if (!known.has(key)) times.delete(key);
  }

  async #look(group: string, node: string, limitMs: number | null): Promise<void> {
    const { catalog, clock, isSilent, log } = this.#options;
    const found = catalog.node(node);
    const status = found?.alive.status;
    const nowMs = clock.now();
    const since = (times: Map<string, number>): number => {
      const key = `${group}\0${node}`;
      if (!times.has(key)) times.set(key, nowMs);
      return nowMs - (times.get(key) as number);
    };
    // What nobody could say while its link was gone is not held against it.
    if (status !== 'up') this.#keptAtMs.delete(`${group}\0${node}`);
    const why = whyFreed({
      status,
      limitMs,
      heldForMs: since(this.#heldAtMs),
      unkeptForMs: since(this.#keptAtMs),
      isSilent: status === 'down' && found !== undefined && (await isSilent(found.record.address)),
    });
    if (why === null) return;
    log(`${node} loses its place in group ${group}: ${why}`);
    await this.#change(group, (slots) => freed(slots, node));
  }

  #wall(): string {
    return new Date(this.#options.clock.wall()).toISOString();
  }
}
