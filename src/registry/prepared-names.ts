import type { PreparedQuery } from './prepared-query.ts';

/** Characters of a query's name: no template begins more. */
export const LONGEST_NAME = 255;

/** Queries by what they are asked for: ids, names, and what the names of templates begin. Case does not count. */
export class PreparedNames {
  readonly #byId = new Map<string, PreparedQuery>();
  readonly #byName = new Map<string, PreparedQuery>();

  get(id: string): PreparedQuery | undefined {
    return this.#byId.get(id.toLowerCase());
  }

  /** The one of exactly this name, template or not; of the empty name only a template. */
  named(name: string): PreparedQuery | undefined {
    return this.#byName.get(name.toLowerCase());
  }

  /** The one of this name, else the template of the longest name that it begins with. */
  find(name: string): PreparedQuery | undefined {
    const folded = name.toLowerCase();
    const exact = this.#byName.get(folded);
    if (exact !== undefined) return exact;
    for (let length = Math.min(folded.length - 1, LONGEST_NAME); length >= 0; length--) {
      const found = this.#byName.get(folded.slice(0, length));
      if (found !== undefined && found.record.template !== null) return found;
    }
    return undefined;
  }

  /** In order of id. */
  all(): PreparedQuery[] {
    return [...this.#byId.values()].toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1));
  }

  values(): Iterable<PreparedQuery> {
    return this.#byId.values();
  }

  set(query: PreparedQuery): void {
    this.delete(query.record.id);
    const { id, name, template } = query.record;
    this.#byId.set(id.toLowerCase(), query);
    if (name !== '' || template !== null) this.#byName.set(name.toLowerCase(), query);
  }

  delete(id: string): PreparedQuery | undefined {
    const query = this.#byId.get(id.toLowerCase());
    if (query === undefined) return undefined;
    this.#byId.delete(id.toLowerCase());
    const name = query.record.name.toLowerCase();
    if (this.#byName.get(name) === query) this.#byName.delete(name);
    return query;
  }

  clear(): void {
    this.#byId.clear();
    this.#byName.clear();
  }
}
