import type { CatalogReader } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import { consumerKey } from './change-log.ts';
import type { ConsumerId, LoggedChange } from './change-log.ts';
import type { ReceiptBook } from './receipt-book.ts';
import type { ConsumerKind, Outcome } from './receipt.ts';

/** How far one consumer is with one change. */
export interface ConsumerTrace {
  readonly node: string;
  readonly kind: ConsumerKind;
  readonly state: 'arrived' | 'late' | 'held' | 'failed' | 'refused';
  readonly outcome?: Outcome;
  /** From commit to receipt on the server that heard it, for what has arrived. */
  readonly tookMs?: number;
  /** That server, where it is not the one that is asked. */
  readonly via?: string;
  readonly reason?: string;
  /** ISO time. */
  readonly retryAt?: string;
  /** Its node is down, so nobody waits for it. */
  readonly down?: true;
}

/** Where a change has arrived (semantics 6), as `drover trace` and `/v2/trace` show it. */
export interface Trace {
  readonly revision: Revision;
  /** When it was committed, ISO time; null for a revision that changed nothing this server follows. */
  readonly at: string | null;
  readonly summary: readonly string[];
  readonly author?: string;
  readonly consumers: readonly ConsumerTrace[];
  /** How many of those that are waited for have it. */
  readonly arrived: number;
  readonly of: number;
  readonly converged: boolean;
}

/** Whether a consumer can be waited for: `gone` ones do not exist any more, `down` ones are on a node that is down. */
export type Presence = 'there' | 'down' | 'gone';

/** Whether a consumer of a node is there, by the catalog. Pure. */
export function presenceOf(catalog: CatalogReader, { node, kind }: ConsumerId): Presence {
  const known = catalog.node(node);
  if (known === undefined || !(known.record.consumers as readonly ConsumerKind[]).includes(kind)) return 'gone';
  return known.alive.status === 'down' || known.alive.status === 'left' ? 'down' : 'there';
}

/** Whether everyone who is there has the change. Pure. */
export function isComplete(change: LoggedChange, presence: (consumer: ConsumerId) => Presence): boolean {
  return !isAwaited(change, true, presence);
}

/** Whether somebody who is there has yet to take the change up, if it is known; without `provisions` listeners do not count. Pure. */
export function isAwaited(
  change: LoggedChange | undefined,
  provisions: boolean,
  presence: (consumer: ConsumerId) => Presence,
): boolean {
  for (const consumer of change?.missing.values() ?? [])
    if ((provisions || consumer.kind !== 'listener') && presence(consumer) === 'there') return true;
  return false;
}

/** How far everybody is with a change; consumers that are gone are left out unless they had it. Pure. */
export function traceConsumers(
  change: LoggedChange,
  book: ReceiptBook,
  presence: (consumer: ConsumerId) => Presence,
): readonly ConsumerTrace[] {
  return [...change.interested.values()].flatMap((consumer) => {
    const arrival = change.arrivals.get(consumerKey(consumer));
    if (arrival !== undefined) return [{ ...consumer, state: 'arrived', ...arrival }];
    const where = presence(consumer);
    if (where === 'gone') return [];
    const standing = withoutArrival(consumer, book, change.revision);
    return [where === 'down' ? { reason: `node ${consumer.node} is down`, ...standing, down: true } : standing];
  });
}

function withoutArrival(consumer: ConsumerId, book: ReceiptBook, revision: Revision): ConsumerTrace {
  const trouble = book.trouble(consumerKey(consumer), revision);
  if (trouble === undefined || trouble.outcome === 'applied' || trouble.outcome === 'unchanged')
    return { ...consumer, state: 'late' };
  const { outcome, reason, retryAt } = trouble;
  return {
    ...consumer,
    state: outcome,
    outcome,
    ...(reason === undefined ? {} : { reason }),
    ...(retryAt === undefined ? {} : { retryAt }),
  };
}

/** The whole trace of a revision; `change` undefined = nothing that is followed changed. Pure. */
export function traceOf(
  revision: Revision,
  change: LoggedChange | undefined,
  consumers: readonly ConsumerTrace[],
): Trace {
  const awaited = consumers.filter((one) => one.down !== true);
  const arrived = awaited.filter((one) => one.state === 'arrived').length;
  return {
    revision,
    at: change === undefined ? null : new Date(change.atMs).toISOString(),
    summary: change?.summary ?? [],
    ...(change?.author === undefined ? {} : { author: change.author }),
    consumers,
    arrived,
    of: awaited.length,
    converged: arrived === awaited.length,
  };
}
