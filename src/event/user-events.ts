import type { Feed } from '../registry/index.ts';
import { EventFires } from './event-fires.ts';
import type { EventLog } from './event-log.ts';
import { SeenEvents } from './seen-events.ts';

/** The region's user events: what there is, how one is fired, and which of them are for an agent's nodes. */
export interface UserEvents {
  readonly log: EventLog;
  readonly fires: EventFires;
  readonly seen: SeenEvents;
}

/** User events over a log that the feed keeps. */
export function userEvents(feed: Feed, log: EventLog, report?: (text: string) => void): UserEvents {
  const seen = new SeenEvents({ log, ...(report === undefined ? {} : { report }) });
  return { log, fires: new EventFires({ feed, log }), seen };
}
