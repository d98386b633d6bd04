import type { Definition } from '../definition/index.ts';
import type { CatalogReader, Stored } from './catalog-reader.ts';
import type { DatastoreRecord } from './records.ts';

export type StoredDatastore = ReturnType<CatalogReader['datastores']>[number];

/** The region that stands for every region without a value of its own. */
export const ANY_REGION = '-';

const NONE: readonly Stored<Definition>[] = Object.freeze([]);

/** What operators declared: definitions with an index of who provides a name, and datastores. Lists are replaced, never changed. */
export class Declarations {
  readonly #definitions = new Map<string, Stored<Definition>>();
  readonly #providers = new Map<string, readonly Stored<Definition>[]>();
  readonly #datastores = new Map<string, StoredDatastore>();
  #sortedDefinitions: readonly Stored<Definition>[] | undefined;
  #sortedDatastores: readonly StoredDatastore[] | undefined;

  definition(federation: string, id: string): Stored<Definition> | undefined {
    return this.#definitions.get(joined(federation, id));
  }

  definitions(): readonly Stored<Definition>[] {
    this.#sortedDefinitions ??= Object.freeze(inKeyOrder(this.#definitions));
    return this.#sortedDefinitions;
  }

  providers(federation: string, name: string): readonly Stored<Definition>[] {
    return this.#providers.get(joined(federation, name)) ?? NONE;
  }

  datastore(federation: string, region: string, name: string): Stored<DatastoreRecord> | undefined {
    const own = this.#datastores.get(joined(federation, region, name));
    return own ?? this.#datastores.get(joined(federation, ANY_REGION, name));
  }

  datastores(): readonly StoredDatastore[] {
    this.#sortedDatastores ??= Object.freeze(inKeyOrder(this.#datastores));
    return this.#sortedDatastores;
  }

  /** Whether any region of the federation has a value of its own for the name, or there is one for all. */
  hasDatastore(federation: string, name: string): boolean {
    return this.#datastores.values().some((one) => one.federation === federation && one.record.name === name);
  }

  setDefinition(federation: string, id: string, stored: Stored<Definition> | undefined): void {
    const key = joined(federation, id);
    const before = this.#definitions.get(key);
    this.#sortedDefinitions = undefined;
    if (stored === undefined) this.#definitions.delete(key);
    else this.#definitions.set(key, stored);
    if (before !== undefined) this.#dropProvider(federation, before);
    if (stored !== undefined) this.#addProvider(federation, stored);
  }

  setDatastore(federation: string, region: string, name: string, stored: StoredDatastore | undefined): void {
    const key = joined(federation, region, name);
    this.#sortedDatastores = undefined;
    if (stored === undefined) this.#datastores.delete(key);
    else this.#datastores.set(key, stored);
  }

  clear(): void {
    for (const map of [this.#definitions, this.#providers, this.#datastores]) map.clear();
    this.#sortedDefinitions = undefined;
    this.#sortedDatastores = undefined;
  }

  #addProvider(federation: string, stored: Stored<Definition>): void {
    for (const name of Object.keys(stored.record.provides)) {
      const others = this.providers(federation, name);
      const all = [...others, stored].toSorted((a, b) => (a.record.id < b.record.id ? -1 : 1));
      this.#providers.set(joined(federation, name), Object.freeze(all));
    }
  }

  #dropProvider(federation: string, stored: Stored<Definition>): void {
    for (const name of Object.keys(stored.record.provides)) {
      const others = this.providers(federation, name).filter((one) => one !== stored);
      if (others.length === 0) this.#providers.delete(joined(federation, name));
      else this.#providers.set(joined(federation, name), Object.freeze(others));
    }
  }
}

/** NUL sorts before every other character, so joined keys sort as their parts do. */
function joined(...parts: readonly string[]): string {
  return parts.join('\0');
}

function inKeyOrder<T>(map: ReadonlyMap<string, T>): T[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}
