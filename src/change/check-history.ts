import { systemClock } from '../lib/index.ts';
import type { Clock, Timer } from '../lib/index.ts';
import type { CheckRecord, Projection } from '../registry/index.ts';
import { UNFENCED } from '../store/index.ts';
import type { Batch, Entry, Fence, KeyRange, Store, Write } from '../store/index.ts';
import {
  CHECK_HISTORY_FAMILY,
  CHECK_TRANSITIONS,
  ringRange,
  slotPut,
  statusOf,
  transitionOf,
  transitionTo,
} from './check-transition.ts';
import type { CheckTransition } from './check-transition.ts';

const CHECK_FAMILY = 'chk/';
const NODE_FAMILY = 'node/';
const EVERY_MS = 1_000;
const PER_TXN = 120;
/** Who may not write holds so long what another is to write, in case that one goes before it does. */
const OTHERS_TIME_MS = 60_000;

export interface CheckHistoryOptions {
  readonly store: Pick<Store, 'read' | 'commit'>;
  /** Of the duty to write transitions; always unless told. All servers see them, one writes them. */
  readonly fence?: Fence;
  /** How long the ring of a check that is gone stays, while its node is there. */
  readonly keepMs: number;
  readonly clock?: Clock;
  /** Told of what could not be written; it is tried again. */
  readonly report?: (error: unknown) => void;
}

/** What is known of a check: its last status and how many transitions it has had. */
interface Ring {
  status: CheckRecord['status'];
  next: number;
  /** Wall-clock time in ms; undefined while the check is there. */
  goneAtMs: number | undefined;
}

/**
 * The last fifty transitions of each check. It sees them pass in the feed and writes them behind, at most one transaction a
 * second however many checks flap; a transition that was not written when the server died is taken from the check's record.
 */
export class CheckHistory implements Projection, AsyncDisposable {
  readonly families: readonly string[] = [CHECK_FAMILY, CHECK_HISTORY_FAMILY, NODE_FAMILY];
  readonly #options: CheckHistoryOptions;
  readonly #clock: Clock;
  /** Node → check → ring; names as they stand in keys. */
  readonly #rings = new Map<string, Map<string, Ring>>();
  /** By key, in order of arrival: what is to be written. */
  readonly #pending = new Map<string, Pending>();
  readonly #dropped: Dropped[] = [];
  #timer: Timer | undefined;
  #running: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  constructor(options: CheckHistoryOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  load(entries: Iterable<Entry>): void {
    this.#rings.clear();
    this.#pending.clear();
    const checks = new Map<string, Entry>();
    for (const entry of entries) {
      if (entry.key.startsWith(CHECK_FAMILY)) checks.set(entry.key.slice(CHECK_FAMILY.length), entry);
      else if (entry.key.startsWith(CHECK_HISTORY_FAMILY)) this.#load(entry);
    }
    for (const [name, entry] of checks) this.#see(name, entry);
  }

  held(): [] {
    return [];
  }

  apply({ events }: Batch): void {
    for (const event of events) {
      const key = event.type === 'put' ? event.entry.key : event.key;
      if (key.startsWith(CHECK_FAMILY)) {
        if (event.type === 'put') this.#see(key.slice(CHECK_FAMILY.length), event.entry);
        else this.#miss(key.slice(CHECK_FAMILY.length));
      } else if (key.startsWith(NODE_FAMILY)) {
        if (event.type === 'delete') this.#dropNode(key.slice(NODE_FAMILY.length));
      } else if (event.type === 'put') this.#written(event.entry);
      else this.#deleted(key);
    }
  }

  /** The transitions of a check that are kept, newest first. */
  async of(node: string, check: string): Promise<readonly CheckTransition[]> {
    const [inNode, name] = [encodeURIComponent(node), encodeURIComponent(check)];
    const written = await this.#options.store.read(ringRange(inNode, name));
    const found = new Map(written.entries.map((entry) => [entry.key, transitionOf(entry)]));
    for (const one of this.#pending.values())
      if (one.node === inNode && one.check === name) found.set(one.write.key, one.transition);
    return [...found.values()].toSorted((a, b) => b.n - a.n).slice(0, CHECK_TRANSITIONS);
  }

  /** Drops the rings of checks that have been gone for long enough; resolves with how many. */
  async expire(): Promise<number> {
    const before = this.#clock.wall() - this.#options.keepMs;
    let expired = 0;
    for (const [node, rings] of this.#rings) {
      for (const [check, { goneAtMs = Infinity }] of rings) {
        if (goneAtMs > before) continue;
        rings.delete(check);
        this.#drop(ringRange(node, check));
        expired++;
      }
    }
    await this.flush();
    return expired;
  }

  /** Writes what waits, one transaction after the other, as far as this server may. */
  async flush(): Promise<void> {
    while (this.#waits() && (await this.#writeSome()));
  }

  /** Writes what waits, as far as the store takes it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#running;
    await this.flush().catch((error: unknown) => this.#options.report?.(error));
  }

  /** What another server wrote need not be written here. */
  #written(entry: Entry): void {
    const pending = this.#pending.get(entry.key);
    if (pending !== undefined && pending.transition.n <= transitionOf(entry).n) this.#pending.delete(entry.key);
    this.#load(entry);
  }

  #deleted(key: string): void {
    const at = this.#dropped.findIndex(({ range }) => key >= range.start && key < range.end);
    if (at >= 0) this.#dropped.splice(at, 1);
  }

  #load(entry: Entry): void {
    const [node = '', check = ''] = entry.key.slice(CHECK_HISTORY_FAMILY.length).split('/');
    const { n, status, at } = transitionOf(entry);
    const ring = this.#rings.get(node)?.get(check);
    // What comes back of what was written here is known already.
    if (ring !== undefined && n < ring.next) return;
    if (ring === undefined) this.#add(node, check, { status, next: n + 1, goneAtMs: Date.parse(at) });
    else {
      ring.next = n + 1;
      if (ring.goneAtMs !== undefined) ring.status = status;
    }
  }

  #see(name: string, entry: Entry): void {
    const [node = '', check = ''] = name.split('/');
    const status = statusOf(entry);
    const ring = this.#rings.get(node)?.get(check);
    if (ring === undefined) return this.#add(node, check, { status, next: 0, goneAtMs: undefined });
    ring.goneAtMs = undefined;
    if (ring.status === status) return;
    const transition = transitionTo(entry, ring.status, ring.next++);
    ring.status = status;
    const write = slotPut(node, check, transition);
    this.#pending.set(write.key, { node, check, transition, write, atMs: this.#clock.now() });
    this.#schedule();
  }

  #miss(name: string): void {
    const [node = '', check = ''] = name.split('/');
    const rings = this.#rings.get(node);
    const ring = rings?.get(check);
    if (ring === undefined) return;
    if (ring.next === 0) rings?.delete(check);
    else ring.goneAtMs = this.#clock.wall();
  }

  #dropNode(node: string): void {
    const rings = this.#rings.get(node);
    this.#rings.delete(node);
    if (rings !== undefined && [...rings.values()].some((ring) => ring.next > 0)) this.#drop(ringRange(node));
  }

  #drop(range: KeyRange): void {
    for (const key of this.#pending.keys()) if (key >= range.start && key < range.end) this.#pending.delete(key);
    this.#dropped.push({ range, atMs: this.#clock.now() });
    this.#schedule();
  }

  #add(node: string, check: string, ring: Ring): void {
    const rings = this.#rings.get(node) ?? new Map<string, Ring>();
    this.#rings.set(node, rings.set(check, ring));
  }

  #schedule(): void {
    if (this.#isClosed || this.#timer !== undefined) return;
    this.#timer = this.#clock.after(EVERY_MS, () => {
      this.#running = this.#writeSome()
        .catch((error: unknown) => this.#options.report?.(error))
        .then(() => {
          this.#timer = undefined;
          if (this.#waits()) this.#schedule();
        });
    });
  }

  #waits(): boolean {
    return this.#pending.size + this.#dropped.length > 0;
  }

  /** What is dropped goes first and by itself: a node may have come back since. Resolves with whether it was written. */
  async #writeSome(): Promise<boolean> {
    const { store, fence = UNFENCED } = this.#options;
    const duty = fence();
    if (duty === null) return this.#leaveToOthers();
    const dropped = this.#dropped.slice(0, PER_TXN);
    const some = dropped.length > 0 ? [] : [...this.#pending].slice(0, PER_TXN);
    const writes: Write[] =
      dropped.length > 0
        ? distinct(dropped.map(({ range }) => range)).map((range) => ({ type: 'delete-range', range }))
        : some.map(([, { write }]) => write);
    const { ok } = await store.commit({ compares: [duty], writes });
    if (!ok) return false;
    for (const one of dropped) if (this.#dropped.includes(one)) this.#dropped.splice(this.#dropped.indexOf(one), 1);
    for (const [key, one] of some) if (this.#pending.get(key) === one) this.#pending.delete(key);
    return true;
  }

  /** Also forgets what has been left to others for long: they wrote it, or nobody could. */
  #leaveToOthers(): false {
    const before = this.#clock.now() - OTHERS_TIME_MS;
    while ((this.#dropped[0]?.atMs ?? Infinity) <= before) this.#dropped.shift();
    for (const [key, { atMs }] of this.#pending) if (atMs <= before) this.#pending.delete(key);
    return false;
  }
}

interface Dropped {
  readonly range: KeyRange;
  readonly atMs: number;
}

interface Pending {
  readonly node: string;
  readonly check: string;
  readonly transition: CheckTransition;
  readonly write: ReturnType<typeof slotPut>;
  readonly atMs: number;
}

/** Ranges that do not lie within another: a transaction takes none twice. */
function distinct(ranges: readonly KeyRange[]): KeyRange[] {
  return ranges.filter((one, index) =>
    ranges.every(
      (other, at) =>
        at === index ||
        one.start < other.start ||
        one.end > other.end ||
        (one.start === other.start && one.end === other.end && index < at),
    ),
  );
}
