import type { Revision } from '../store/index.ts';
import type { ConsumerId } from './change-log.ts';
import type { DoneOutcome, Receipt } from './receipt.ts';

/** How long a change took to a consumer, on the server that heard of it. */
export type Took = readonly [revision: Revision, tookMs: number];

/** All that is known of a consumer, as servers tell each other: a later one covers an earlier one. */
export interface Standing extends ConsumerId {
  /** It has applied everything up to here. */
  readonly applied: Revision;
  readonly outcome: DoneOutcome;
  /** Of changes that it settled since the last telling; those that are not named are measured where it is heard. */
  readonly took: readonly Took[];
  /** Its last word that was not `applied` or `unchanged`, until a later one is. */
  readonly trouble: Receipt | null;
}
