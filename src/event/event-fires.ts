import type { Feed } from '../registry/index.ts';
import type { Revision } from '../store/index.ts';
import { audienceOf } from './event-filter.ts';
import { KEPT_EVENTS, type EventLog } from './event-log.ts';
import { eventKey, newEvent, type EventToFire, type UserEvent } from './user-event.ts';

/** Deletions in one transaction at most; more than one is due only after fires at the same moment. */
const MOST_PRUNED = 64;

/** Fires events into the region. */
export class EventFires {
  readonly #feed: Feed;
  readonly #log: EventLog;

  constructor(options: { readonly feed: Feed; readonly log: EventLog }) {
    this.#feed = options.feed;
    this.#log = options.log;
  }

  /**
   * Puts an event and, in the same transaction, removes those that are more than the region keeps. Resolves when this server
   * has applied it.
   *
   * @throws EVENT_BAD_FILTER with Consul's texts, and what the store throws
   */
  async fire(given: EventToFire): Promise<{ readonly event: UserEvent; readonly revision: Revision }> {
    audienceOf(given);
    const event = newEvent(given);
    const all = this.#log.all();
    const old = all.slice(0, Math.max(0, all.length + 1 - KEPT_EVENTS)).slice(0, MOST_PRUNED);
    const { revision } = await this.#feed.commit({
      compares: [],
      writes: [
        { type: 'put', key: eventKey(event), value: JSON.stringify(event) },
        ...old.map((one) => ({ type: 'delete' as const, key: eventKey(one) })),
      ],
    });
    return { event, revision };
  }
}
