import type { Timer } from '../lib/index.ts';
import type { Revision } from '../store/index.ts';
import { prefixOfTopic } from './answer.ts';
import type { Answer, LiveQuery } from './answer.ts';

/** Somebody who waits for an answer other than the one they were given. */
export interface Waiter {
  readonly index: Revision;
  /** Digest of the answer they have; undefined while this server has not applied their index yet. */
  hash: string | undefined;
  readonly resolve: (answer: Answer) => void;
  readonly timer: Timer;
  readonly forget: () => void;
}

/** Everybody who waits for the same query. */
export interface WaitingGroup {
  readonly query: LiveQuery;
  readonly waiters: Set<Waiter>;
}

/** Waiters by query, and queries by topic. */
export class WaitingGroups {
  readonly #groups = new Map<string, WaitingGroup>();
  readonly #byTopic = new Map<string, Set<WaitingGroup>>();
  /** Start of a topic → groups; and how many starts there are of each length. */
  readonly #byPrefix = new Map<string, Set<WaitingGroup>>();
  readonly #prefixLengths = new Map<number, number>();
  #waiters = 0;

  get waiters(): number {
    return this.#waiters;
  }

  add(query: LiveQuery, waiter: Waiter): WaitingGroup {
    const group = this.#groups.get(query.key) ?? this.#open(query);
    group.waiters.add(waiter);
    this.#waiters++;
    return group;
  }

  /** False when the waiter was gone already. */
  remove(group: WaitingGroup, waiter: Waiter): boolean {
    if (!group.waiters.delete(waiter)) return false;
    this.#waiters--;
    if (group.waiters.size === 0) this.#close(group);
    return true;
  }

  all(): Iterable<WaitingGroup> {
    return this.#groups.values();
  }

  /** Groups that wait for any of the topics. */
  touched(topics: Iterable<string>): Set<WaitingGroup> {
    const found = new Set<WaitingGroup>();
    if (this.#groups.size === 0) return found;
    for (const topic of topics) {
      for (const group of this.#byTopic.get(topic) ?? []) found.add(group);
      for (const length of this.#prefixLengths.keys()) {
        if (length > topic.length) continue;
        for (const group of this.#byPrefix.get(topic.slice(0, length)) ?? []) found.add(group);
      }
    }
    return found;
  }

  #open(query: LiveQuery): WaitingGroup {
    const group: WaitingGroup = { query, waiters: new Set() };
    this.#groups.set(query.key, group);
    for (const topic of new Set(query.topics)) {
      const prefix = prefixOfTopic(topic);
      if (prefix === undefined) addTo(this.#byTopic, topic, group);
      else if (addTo(this.#byPrefix, prefix, group)) this.#countLength(prefix.length, 1);
    }
    return group;
  }

  #close(group: WaitingGroup): void {
    this.#groups.delete(group.query.key);
    for (const topic of new Set(group.query.topics)) {
      const prefix = prefixOfTopic(topic);
      if (prefix === undefined) removeFrom(this.#byTopic, topic, group);
      else if (removeFrom(this.#byPrefix, prefix, group)) this.#countLength(prefix.length, -1);
    }
  }

  #countLength(length: number, by: 1 | -1): void {
    const count = (this.#prefixLengths.get(length) ?? 0) + by;
    if (count === 0) this.#prefixLengths.delete(length);
    else this.#prefixLengths.set(length, count);
  }
}

/** True when it is the first of the key. */
function addTo(map: Map<string, Set<WaitingGroup>>, key: string, group: WaitingGroup): boolean {
  const groups = map.get(key);
  groups?.add(group);
  if (groups === undefined) map.set(key, new Set([group]));
  return groups === undefined;
}

/** True when it was the last of the key. */
function removeFrom(map: Map<string, Set<WaitingGroup>>, key: string, group: WaitingGroup): boolean {
  const groups = map.get(key);
  groups?.delete(group);
  return groups?.size === 0 && map.delete(key);
}
