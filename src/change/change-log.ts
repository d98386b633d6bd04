import type { Revision } from '../store/index.ts';
import type { ConsumerKind } from './receipt.ts';

/** One that takes up changes: on a node, or in the server itself (dns), which then gives the server's node name. */
export interface ConsumerId {
  readonly node: string;
  readonly kind: ConsumerKind;
}

/** How a consumer is known in maps. */
export function consumerKey({ node, kind }: ConsumerId): string {
  return `${kind} ${node}`;
}

/** A committed revision as it is remembered: who has to take it up, and who has. */
export interface LoggedChange {
  readonly revision: Revision;
  /** Wall-clock time in ms when this server applied it. */
  readonly atMs: number;
  /** The same on the monotonic clock. */
  readonly appliedAtMs: number;
  readonly summary: readonly string[];
  /** By consumer key, in the order in which consumers act. */
  readonly interested: ReadonlyMap<string, ConsumerId>;
  /** Those of them that have not arrived: what a settled change is looked up in without reading the others. */
  readonly missing: Map<string, ConsumerId>;
  /** Keys of those of them that may turn out not to be interested: the server that their node is linked to says so. */
  readonly unsure: ReadonlySet<string>;
  /** By consumer key. */
  readonly arrivals: Map<string, Arrival>;
  readonly author?: string;
}

export interface Arrival {
  readonly outcome: 'applied' | 'unchanged';
  /** From the commit being applied to the receipt, on the server that heard it. */
  readonly tookMs: number;
  /** The server that heard it, where that is another one. */
  readonly via?: string;
}

export interface LogLimits {
  readonly maxAgeMs: number;
  readonly maxChanges: number;
  /** Bounds the memory of all interested sets together. */
  readonly maxConsumers: number;
}

/** For the last hour, but never more than so many changes or consumers. */
export const LOG_LIMITS: LogLimits = Object.freeze({
  maxAgeMs: 3_600_000,
  maxChanges: 10_000,
  maxConsumers: 1_000_000,
});

/** A list that is shorter is not worth it. */
const LEAST_SHORTENED = 64;

/** The latest changes in order of revision, bounded by age and size. */
export class ChangeLog {
  readonly #limits: LogLimits;
  readonly #changes = new Map<Revision, LoggedChange>();
  /** In order, from `#first` on: whoever looks for the first entry of a map walks over all that were deleted before it. */
  #order: (LoggedChange | undefined)[] = [];
  #first = 0;
  #consumers = 0;
  #oldest: Revision;
  #newest: Revision;
  /** Revisions that came all at once: of none of them is it known what it changed. */
  #gap: { readonly after: Revision; readonly upTo: Revision } | null = null;

  /** Knows every revision after `since`. */
  constructor(since: Revision, limits: LogLimits = LOG_LIMITS) {
    this.#limits = limits;
    this.#oldest = since + 1;
    this.#newest = since;
  }

  /** The first revision of which everything is still known. */
  get oldest(): Revision {
    return this.#oldest;
  }

  get newest(): Revision {
    return this.#newest;
  }

  /** Adds a later change and lets go of those too old or too many; returns what it let go. */
  add(change: LoggedChange): readonly LoggedChange[] {
    this.#changes.set(change.revision, change);
    this.#order.push(change);
    this.#consumers += change.interested.size;
    this.#newest = change.revision;
    const dropped: LoggedChange[] = [];
    for (let at = this.#first; at < this.#order.length - 1; at++) {
      const first = this.#order[at] as LoggedChange;
      if (!this.#isOver(first, change)) break;
      this.#order[at] = undefined;
      this.#changes.delete(first.revision);
      this.#consumers -= first.interested.size;
      this.#oldest = first.revision + 1;
      dropped.push(first);
    }
    this.#letGo(dropped.length);
    return dropped;
  }

  get(revision: Revision): LoggedChange | undefined {
    return this.#changes.get(revision);
  }

  /** Whether all that there was to know of a revision is known, be it nothing; or is not any more, or not yet. */
  memory(revision: Revision): 'coming' | 'known' | 'forgotten' {
    if (revision > this.#newest) return 'coming';
    const isInGap = this.#gap !== null && revision > this.#gap.after && revision <= this.#gap.upTo;
    return revision >= this.#oldest && !isInGap ? 'known' : 'forgotten';
  }

  /** Notes that the revisions after `after` and up to `upTo` are not known one by one, nor what was between an earlier gap and them. */
  skip(after: Revision, upTo: Revision): void {
    this.#gap = { after: Math.min(after, this.#gap?.after ?? after), upTo };
  }

  /** In order of revision. */
  after(revision: Revision): LoggedChange[] {
    return this.#kept(this.#first).filter((change) => change.revision > revision);
  }

  /** Newest first. */
  latest(limit: number): LoggedChange[] {
    const count = Math.min(Math.max(0, limit), this.#changes.size);
    return this.#kept(this.#order.length - count).toReversed();
  }

  #kept(from: number): LoggedChange[] {
    return this.#order.slice(from) as LoggedChange[];
  }

  /** The list is shortened when half of it is gone. */
  #letGo(count: number): void {
    this.#first += count;
    if (this.#first * 2 <= this.#order.length || this.#first < LEAST_SHORTENED) return;
    this.#order = this.#order.slice(this.#first);
    this.#first = 0;
  }

  #isOver(first: LoggedChange, latest: LoggedChange): boolean {
    const { maxAgeMs, maxChanges, maxConsumers } = this.#limits;
    const isOld = latest.appliedAtMs - first.appliedAtMs > maxAgeMs;
    return isOld || this.#changes.size > maxChanges || this.#consumers > maxConsumers;
  }
}
