import { randomUUID } from 'node:crypto';
import { KeyedQueue } from '../lib/index.ts';
import { prefixRange } from '../store/index.ts';
import type { Compare, Revision, Write } from '../store/index.ts';
import { checkPrepared } from './check-prepared.ts';
import { badPrepared, contended } from './errors.ts';
import type { Feed } from './feed.ts';

import { PREPARED_FAMILY, preparedKey, type PreparedQuery, type PreparedQueryRecord } from './prepared-query.ts';
import { deletionsOf, type PreparedState } from './prepared-state.ts';

const ATTEMPTS = 16;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

export interface PreparedWritesOptions {
  readonly feed: Feed;
  readonly state: PreparedState;
  /** The store's key of a session, and where it stands; undefined for one that is not there. */
  readonly session: (id: string) => Compare | undefined;
  readonly uuid?: () => string;
}

/** What was written, and when. */
export interface PreparedWritten {
  readonly id: string;
  readonly revision: Revision;
}

/**
 * Changes prepared queries. Each method resolves when this server has applied the change. Names are unique, also among
 * several servers: a transaction holds only while no query was put since it was decided.
 */
export class PreparedWrites {
  readonly #feed: Feed;
  readonly #state: PreparedState;
  readonly #session: (id: string) => Compare | undefined;
  readonly #uuid: () => string;
  readonly #queue = new KeyedQueue();

  constructor({ feed, state, session, uuid = randomUUID }: PreparedWritesOptions) {
    this.#feed = feed;
    this.#state = state;
    this.#session = session;
    this.#uuid = uuid;
  }

  /** @throws REGISTRY_BAD_PREPARED_QUERY */
  async create(query: Omit<PreparedQueryRecord, 'id'>): Promise<PreparedWritten> {
    const record = { ...query, id: this.#uuid() };
    checkPrepared(record);
    return this.#commit(() => this.#puts(record, undefined), record.id);
  }

  /**
   * Replaces a query by what `change` makes of it, which may throw what forbids it.
   *
   * @throws REGISTRY_BAD_PREPARED_QUERY, also when it is not there
   */
  update(id: string, change: (before: PreparedQuery) => Omit<PreparedQueryRecord, 'id'>): Promise<PreparedWritten> {
    return this.#commit(() => {
      const before = this.#known(id);
      const record = { ...change(before), id: before.record.id };
      checkPrepared(record);
      return this.#puts(record, before);
    }, id);
  }

  /** `allow` may throw what forbids it. @throws REGISTRY_BAD_PREPARED_QUERY when it is not there */
  remove(id: string, allow: (before: PreparedQuery) => void = () => {}): Promise<PreparedWritten> {
    return this.#commit(() => {
      const before = this.#known(id);
      allow(before);
      const compares = [{ key: preparedKey(before.record.id), modRevision: before.modRevision }];
      return { compares, writes: deletionsOf([before.record.id]) };
    }, id);
  }

  #known(id: string): PreparedQuery {
    const known = this.#state.get(id);
    if (known === undefined) throw badPrepared(`Cannot modify non-existent prepared query: '${id}'`);
    return known;
  }

  #puts(record: PreparedQueryRecord, before: PreparedQuery | undefined): Decided {
    this.#checkName(record);
    const key = preparedKey(record.id);
    const value = JSON.stringify(record);
    const writes: Write[] = value === JSON.stringify(before?.record) ? [] : [{ type: 'put', key, value }];
    const compares = [{ key, modRevision: before?.modRevision ?? 0 }];
    if (record.session === '') return { compares, writes };
    const session = this.#session(record.session);
    if (session === undefined) throw badPrepared('invalid session');
    return { compares: [...compares, session], writes };
  }

  #checkName({ id, name, template }: PreparedQueryRecord): void {
    if (UUID.test(name) && this.#state.get(name) !== undefined) {
      throw badPrepared(`name '${name}' aliases an existing query ID`);
    }
    if (name === '' && template === null) return;
    const other = this.#state.named(name);
    if (other === undefined || other.record.id === id) return;
    throw badPrepared(
      name === ''
        ? 'a query template with an empty name already exists'
        : `name '${name}' aliases an existing query name`,
    );
  }

  #commit(decide: () => Decided, id: string): Promise<PreparedWritten> {
    return this.#queue.run('', async () => {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const since = this.#feed.revision;
        const { compares, writes } = decide();
        if (writes.length === 0) return { id, revision: since };
        const unchanged = [{ range: prefixRange(PREPARED_FAMILY), since }];
        const outcome = await this.#feed.commit({ compares, unchanged, writes });
        if (outcome.ok) return { id, revision: outcome.revision };
        await this.#feed.applied(outcome.revision);
      }
      throw contended('the prepared queries', ATTEMPTS);
    });
  }
}

interface Decided {
  readonly compares: readonly Compare[];
  readonly writes: readonly Write[];
}
