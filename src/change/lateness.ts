import type { Revision } from '../store/index.ts';
import type { ConsumerId, LoggedChange } from './change-log.ts';
import type { ConsumerKind } from './receipt.ts';

/** Who still owes what, for metrics and the dashboard. */
export interface Lateness {
  readonly node: string;
  readonly kind: ConsumerKind;
  readonly revision: Revision;
  readonly forMs: number;
}

/** Of those that owe something by the book, who is there and how long they have owed it; the longest first. */
export function latenessOf(
  owing: Iterable<readonly [key: string, change: LoggedChange]>,
  isThere: (consumer: ConsumerId) => boolean,
  nowMs: number,
): readonly Lateness[] {
  return [...owing]
    .map(([key, change]) => ({ consumer: change.interested.get(key), change }))
    .flatMap(({ consumer, change }) =>
      consumer === undefined || !isThere(consumer)
        ? []
        : [{ ...consumer, revision: change.revision, forMs: nowMs - change.appliedAtMs }],
    )
    .toSorted((a, b) => b.forMs - a.forMs);
}
