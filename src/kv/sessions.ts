import { SortedMap, systemClock } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { floorKey } from '../registry/index.ts';
import type { ChangeBuilder, Held, Projection } from '../registry/index.ts';
import type { Batch, Compare, Entry, Revision } from '../store/index.ts';
import { LockDelays } from './lock-delays.ts';
import {
  LOCK_DELAY_FAMILY,
  lockDelayKey,
  SESSION_FAMILIES,
  SESSION_FAMILY,
  SESSION_LOCK_FAMILY,
  sessionKey,
  sessionLockKey,
  topicsOfSession,
} from './session-keys.ts';
import { decodeSession } from './session-record.ts';
import type { Session } from './session-record.ts';

const TOMB_FAMILY = 'tomb/';

export interface SessionsOptions {
  readonly clock?: Clock;
  /** Told of entries that drover did not write and cannot read; they are left out. */
  readonly report?: (error: unknown) => void;
}

/** The region's sessions in memory, with what they hold and which keys are in a lock-delay. */
export class Sessions implements Projection {
  readonly families = SESSION_FAMILIES;
  readonly delays: LockDelays;
  readonly #report: (error: unknown) => void;
  readonly #sessions = new SortedMap<Session>();
  readonly #byNode = new Map<string, Set<string>>();
  /** Session id → key → revision of its `sesslock/` entry. */
  readonly #locks = new Map<string, Map<string, Revision>>();
  readonly #topics = new Map<string, Revision>();
  #floor: Revision = 1;

  constructor(options: SessionsOptions = {}) {
    this.delays = new LockDelays(options.clock ?? systemClock);
    this.#report = options.report ?? (() => {});
  }

  /** A session that something can be locked with. */
  get(id: string): Session | undefined {
    const session = this.#sessions.get(id);
    return session?.isEnding === true ? undefined : session;
  }

  /** Also one that is ending. */
  stored(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Also those that are ending. */
  allStored(): Iterable<Session> {
    return this.#sessions.values();
  }

  /** In order of id. */
  list(): Session[] {
    return [...this.#sessions.values()].filter((session) => session.isEnding !== true);
  }

  /** Sessions of a node, in order of id. */
  ofNode(node: string): Session[] {
    return [...(this.#byNode.get(node) ?? [])]
      .toSorted()
      .map((id) => this.get(id))
      .filter((session) => session !== undefined);
  }

  /** Keys that a session may hold: the entry of each has the last word. */
  locked(id: string): string[] {
    return [...(this.#locks.get(id)?.keys() ?? [])];
  }

  /** The index of a topic of `sessionTopic`; 1 for what never was. */
  index(topic: string): Revision {
    return Math.max(this.#topics.get(topic) ?? 1, this.#floor);
  }

  load(entries: Iterable<Entry>, _revision: Revision): void {
    for (const table of [this.#sessions, this.#byNode, this.#locks, this.#topics, this.delays]) table.clear();
    this.#floor = 1;
    for (const entry of entries) this.#attempt(() => this.#put(entry));
  }

  apply(batch: Batch, change: ChangeBuilder): void {
    for (const event of batch.events) {
      if (event.type === 'delete') this.#remove(event.key, change);
      else this.#attempt(() => this.#put(event.entry, change));
    }
  }

  *held(): Iterable<Held> {
    for (const { id, modRevision } of this.#sessions.values()) yield { key: sessionKey(id), modRevision };
    for (const [id, locks] of this.#locks)
      for (const [key, modRevision] of locks) yield { key: sessionLockKey(id, key), modRevision };
    for (const { key, modRevision } of this.delays.entries()) yield { key: lockDelayKey(key), modRevision };
  }

  #put(entry: Entry, change?: ChangeBuilder): void {
    const { key, value, modRevision } = entry;
    if (key.startsWith(SESSION_FAMILY)) this.#putSession(decodeSession(entry), change);
    else if (key.startsWith(SESSION_LOCK_FAMILY)) {
      const [id, name] = lockOf(key);
      const locks = this.#locks.get(id) ?? new Map<string, Revision>();
      this.#locks.set(id, locks.set(name, modRevision));
    } else if (key.startsWith(LOCK_DELAY_FAMILY))
      this.delays.set(key.slice(LOCK_DELAY_FAMILY.length), (JSON.parse(value) as { ms: number }).ms, modRevision);
    else if (key.startsWith(`${TOMB_FAMILY}sess`)) this.#touch(key.slice(TOMB_FAMILY.length), modRevision, change);
    else if (key === floorKey('registry'))
      this.#floor = Math.max(this.#floor, (JSON.parse(value) as { revision: Revision }).revision);
  }

  #putSession(session: Session, change?: ChangeBuilder): void {
    this.#sessions.set(session.id, session);
    const ids = this.#byNode.get(session.node) ?? new Set();
    this.#byNode.set(session.node, ids.add(session.id));
    for (const topic of topicsOfSession(session)) this.#touch(topic, session.modRevision, change);
    change?.summary.push(`session ${nameOf(session)}${session.isEnding === true ? ' ends' : ''}`);
  }

  #remove(key: string, change: ChangeBuilder): void {
    if (key.startsWith(SESSION_FAMILY)) this.#removeSession(key.slice(SESSION_FAMILY.length), change);
    else if (key.startsWith(SESSION_LOCK_FAMILY)) this.#removeLock(...lockOf(key));
    else if (key.startsWith(LOCK_DELAY_FAMILY)) this.delays.delete(key.slice(LOCK_DELAY_FAMILY.length));
    else if (key.startsWith(`${TOMB_FAMILY}sess`)) this.#forget(key.slice(TOMB_FAMILY.length));
  }

  /** Its tombstones, which came with the deletion, have the last word on indexes. */
  #removeSession(id: string, change: ChangeBuilder): void {
    const session = this.#sessions.get(id);
    if (session === undefined) return;
    this.#sessions.delete(id);
    const ids = this.#byNode.get(session.node);
    ids?.delete(id);
    if (ids?.size === 0) this.#byNode.delete(session.node);
    for (const topic of topicsOfSession(session)) change.topics.add(topic);
    change.summary.push(`session ${nameOf(session)} gone`);
  }

  #removeLock(id: string, key: string): void {
    const locks = this.#locks.get(id);
    locks?.delete(key);
    if (locks?.size === 0) this.#locks.delete(id);
  }

  /** A tombstone was reaped: the floor is at least as high. What still holds sessions keeps its own index. */
  #forget(topic: string): void {
    const [family = '', name = ''] = topic.split('/');
    const isHeld =
      family === 'sessions' ||
      (family === 'sess' ? this.#sessions.has(name) : this.#byNode.has(decodeURIComponent(name)));
    if (!isHeld) this.#topics.delete(topic);
  }

  #touch(topic: string, revision: Revision, change: ChangeBuilder | undefined): void {
    if ((this.#topics.get(topic) ?? 0) < revision) this.#topics.set(topic, revision);
    change?.topics.add(topic);
  }

  #attempt(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#report(error);
    }
  }
}

function lockOf(storeKey: string): [id: string, key: string] {
  const rest = storeKey.slice(SESSION_LOCK_FAMILY.length);
  const slash = rest.indexOf('/');
  return [rest.slice(0, slash), rest.slice(slash + 1)];
}

/** For people; its name is whatever a client gave, control characters included. */
function nameOf({ id, node }: Session): string {
  return `${id.slice(0, 8)}@${node}`;
}

/** What a write that is bound to a session compares; undefined when there is no such session. */
export function sessionCompare(sessions: Pick<Sessions, 'get'>, id: string): Compare | undefined {
  const session = sessions.get(id);
  return session === undefined ? undefined : { key: sessionKey(id), modRevision: session.modRevision };
}
