import type { Event } from './generated/kv_pb.ts';
import type { WatchResponse } from './generated/rpc_pb.ts';

/** All events of one of etcd's revisions. */
export interface RawBatch {
  readonly revision: number;
  readonly events: readonly Event[];
}

/**
 * Puts together what etcd has taken apart: a large response comes in fragments, and a revision may begin in one and end in another.
 * Only whole revisions come out.
 */
export class WatchFrames {
  #events: Event[] = [];

  /** The revisions that this response completes, in order. */
  push(response: WatchResponse): RawBatch[] {
    for (const event of response.events) this.#events.push(event);
    if (response.fragment) return [];
    const events = this.#events;
    this.#events = [];
    return groupByRevision(events);
  }
}

function groupByRevision(events: readonly Event[]): RawBatch[] {
  const groups: { revision: number; events: Event[] }[] = [];
  for (const event of events) {
    const revision = Number(event.kv?.modRevision ?? 0n);
    const last = groups.at(-1);
    if (last?.revision === revision) last.events.push(event);
    else groups.push({ revision, events: [event] });
  }
  return groups;
}
