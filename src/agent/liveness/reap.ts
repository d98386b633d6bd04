import { isGone, type CatalogNode } from '../../registry/index.ts';

/** How long a node was seen to be lost by whoever asks, and how long it says that it is. */
export interface LostFor {
  /** By the wall clock, since `alive/` says so. */
  readonly saidMs: number;
  /** By the monotonic clock, since this process has known of it. */
  readonly seenMs: number;
}

/** However long ago somebody says it was: nobody is removed whom this process has not seen lost for so long. Clocks jump. */
const SEEN_MOST_MS = 3_600_000;

/** Whether a node is removed with what it holds: it left, or is down and nothing of it answers, for longer than the policy keeps it. Pure. */
export function isReaped({ record, alive }: CatalogNode, lost: LostFor, reapAfterMs: number): boolean {
  if (record.external || !isGone(alive)) return false;
  return lost.saidMs >= reapAfterMs && lost.seenMs >= Math.min(reapAfterMs, SEEN_MOST_MS);
}
