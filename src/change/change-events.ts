import type { Revision } from '../store/index.ts';
import type { LoggedChange } from './change-log.ts';
import type { ChangeEvent } from './event-stream.ts';

/** A change as it is told when it was applied. Pure. */
export function changeEvent({ revision, atMs, summary, author, interested }: LoggedChange): ChangeEvent {
  const by = author === undefined ? {} : { author };
  return { type: 'change', revision, at: new Date(atMs).toISOString(), summary, ...by, of: interested.size };
}

/** And when it has arrived everywhere. Pure. */
export function arrivedEvent({ revision, arrivals }: LoggedChange): ChangeEvent {
  const tookMs = Math.max(0, ...[...arrivals.values()].map((arrival) => arrival.tookMs));
  return { type: 'arrived', revision, of: arrivals.size, tookMs };
}

/** What is told first to who asks for all after a revision: that some are forgotten, then each change and whether it has arrived. Pure. */
export function replayOf(
  {
    after,
    oldest,
    changes,
  }: { readonly after: Revision; readonly oldest: Revision; readonly changes: readonly LoggedChange[] },
  isOpen: (change: LoggedChange) => boolean,
): readonly ChangeEvent[] {
  const gap: ChangeEvent[] = after + 1 < oldest ? [{ type: 'gap', after, before: oldest }] : [];
  return changes.reduce((events, change) => {
    events.push(changeEvent(change));
    if (change.interested.size > 0 && !isOpen(change)) events.push(arrivedEvent(change));
    return events;
  }, gap);
}
