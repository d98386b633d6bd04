import type { LinearPattern } from '../lib/index.ts';
import type { Batch, Entry, Revision, Write } from '../store/index.ts';
import { badPrepared } from './errors.ts';
import type { ChangeBuilder, Held, Projection } from './feed.ts';
import { floorKey, tombKey } from './keys.ts';
import { PreparedNames } from './prepared-names.ts';
import {
  decodePrepared,
  PREPARED_FAMILY,
  PREPARED_TOPIC,
  preparedKey,
  type PreparedQuery,
  type PreparedQueryRecord,
} from './prepared-query.ts';
import { patternOf, renderTemplate } from './prepared-template.ts';

/** The region's prepared queries in memory. */
export class PreparedState implements Projection {
  readonly families = [PREPARED_FAMILY, 'tomb/', 'floor/'];
  readonly #report: (error: unknown) => void;
  readonly #names = new PreparedNames();
  /** Expressions of templates, made when they are first asked for. */
  readonly #patterns = new WeakMap<PreparedQueryRecord, LinearPattern>();
  #index: Revision = 1;

  /** `report` is told of entries that drover did not write and cannot read; they are left out. */
  constructor({ report = () => {} }: { readonly report?: (error: unknown) => void } = {}) {
    this.#report = report;
  }

  get(id: string): PreparedQuery | undefined {
    return this.#names.get(id);
  }

  /** The query or template of exactly this name, in any case. */
  named(name: string): PreparedQuery | undefined {
    return this.#names.named(name);
  }

  /** In order of id. */
  list(): readonly PreparedQuery[] {
    return this.#names.all();
  }

  /**
   * What an id or a name stands for, templates filled in: an id before a name, a name before the template of the longest
   * name that it begins with. Undefined when there is none.
   *
   * @throws REGISTRY_BAD_PREPARED_QUERY for a template that is asked for by its id
   */
  resolve(nameOrId: string): PreparedQueryRecord | undefined {
    if (nameOrId === '') return undefined;
    const byId = this.#names.get(nameOrId)?.record;
    if (byId !== undefined && byId.template === null) return byId;
    if (byId !== undefined) throw badPrepared('prepared query templates can only be resolved up by name, not by ID');
    const found = this.#names.find(nameOrId)?.record;
    return found === undefined || found.template === null
      ? found
      : renderTemplate(found, nameOrId, this.#patternOf(found));
  }

  /** What goes when a session ends, for the transaction in which it does; nothing when no query is bound to it. */
  writesWithSession(sessionId: string): readonly Write[] {
    const bound = [...this.#names.values()].filter(({ record }) => record.session === sessionId);
    return bound.length === 0 ? [] : deletionsOf(bound.map(({ record }) => record.id));
  }

  /** The index of the topic `pq`; 1 when there never was a query. */
  index(_topic: string): Revision {
    return this.#index;
  }

  load(entries: Iterable<Entry>, _revision: Revision): void {
    this.#names.clear();
    this.#index = 1;
    for (const entry of entries) this.#attempt(() => void this.#put(entry));
  }

  apply(batch: Batch, change: ChangeBuilder): void {
    // A deletion comes with its tombstone in the same revision, which moves the index.
    for (const event of batch.events) if (event.type === 'delete') this.#remove(event.key, change);
    for (const event of batch.events) {
      if (event.type !== 'put') continue;
      this.#attempt(() => {
        const query = this.#put(event.entry);
        if (query === undefined) return;
        change.topics.add(PREPARED_TOPIC);
        change.summary.push(`prepared query ${nameOf(query)}`);
      });
    }
  }

  *held(): Iterable<Held> {
    for (const { record, modRevision } of this.#names.values()) yield { key: preparedKey(record.id), modRevision };
  }

  #put(entry: Entry): PreparedQuery | undefined {
    const { key, modRevision, value } = entry;
    if (key === tombKey(PREPARED_TOPIC)) this.#raise(modRevision);
    else if (key === floorKey('registry')) this.#raise((JSON.parse(value) as { revision: Revision }).revision);
    if (!key.startsWith(PREPARED_FAMILY)) return undefined;
    const query = decodePrepared(entry);
    this.#names.set(query);
    this.#raise(modRevision);
    return query;
  }

  #remove(key: string, change: ChangeBuilder): void {
    if (!key.startsWith(PREPARED_FAMILY)) return;
    const query = this.#names.delete(key.slice(PREPARED_FAMILY.length));
    if (query === undefined) return;
    change.topics.add(PREPARED_TOPIC);
    change.summary.push(`prepared query ${nameOf(query)} gone`);
  }

  #raise(revision: Revision): void {
    this.#index = Math.max(this.#index, revision);
  }

  #patternOf(record: PreparedQueryRecord): LinearPattern | undefined {
    const known = this.#patterns.get(record);
    if (known !== undefined) return known;
    const made = patternOf(record);
    if (made !== undefined) this.#patterns.set(record, made);
    return made;
  }

  #attempt(task: () => void): void {
    try {
      task();
    } catch (error) {
      this.#report(error);
    }
  }
}

/** Deletes queries and leaves their tombstone. */
export function deletionsOf(ids: readonly string[]): Write[] {
  const deletions = ids.map((id): Write => ({ type: 'delete', key: preparedKey(id) }));
  return [...deletions, { type: 'put', key: tombKey(PREPARED_TOPIC), value: '{}' }];
}

function nameOf({ record }: PreparedQuery): string {
  return record.name === '' ? record.id : record.name;
}
