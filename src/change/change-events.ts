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
