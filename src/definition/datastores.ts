import { type DroverError, nearest } from '../lib/index.ts';
import { loadDocument, diskFiles, type FileSource } from './load.ts';
import type { KeyPath } from './describe.ts';
import type { Document } from './document.ts';
import { throwAll } from './problems.ts';
import { federationSchema, variableSchema } from './schema.ts';
import { invalidAt } from './validate.ts';

/** One value of a file of datastores. The value is a secret: it goes into the registry, never into a message. */
export interface DatastoreEntry {
  readonly federation: string;
  /** null = every region that has no value of its own. */
  readonly region: string | null;
  readonly name: string;
  readonly value: string;
}

/** Keys that open a narrower scope; every other key of a file is the name of a datastore. */
type Scope = 'federations' | 'regions';

interface Within {
  readonly federation: string;
  readonly region: string | null;
  readonly scopes: readonly Scope[];
}

/**
 * Reads a file of datastores: `NAME: value`, with `regions: {R: {NAME: value}}` beside and `federations: {F: {…}}` around, in any of the formats of
 * definitions. Entries come in the order of the file. Errors show places and names, never values.
 *
 * @throws DEFINITION_SYNTAX, DEFINITION_INVALID
 * @example
 * readDatastores(await loadDocument(file, diskFiles, { secret: true }), 'default');
 */
export function readDatastores(document: Document, federation = 'default'): DatastoreEntry[] {
  const reader = new DatastoreReader(document);
  const entries = reader.read(document.value, [], { federation, region: null, scopes: ['federations', 'regions'] });
  return reader.errors.length > 0 ? throwAll(reader.errors) : entries;
}

/**
 * Loads and reads a file of datastores.
 *
 * @throws as `readDatastores` and `loadDocument`
 */
export async function loadDatastores(
  file: string,
  federation = 'default',
  files: FileSource = diskFiles,
): Promise<DatastoreEntry[]> {
  return readDatastores(await loadDocument(file, files, { secret: true }), federation);
}

class DatastoreReader {
  readonly errors: DroverError[] = [];
  readonly #document: Document;

  constructor(document: Document) {
    this.#document = document;
  }

  read(value: unknown, path: KeyPath, within: Within): DatastoreEntry[] {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) {
      return this.#refuse(path, 'expected a map of names to values');
    }
    return Object.entries(value).flatMap(([key, inner]) => this.#member(key, inner, [...path, key], within));
  }

  #member(key: string, value: unknown, path: KeyPath, within: Within): DatastoreEntry[] {
    const scope = within.scopes.find((one) => one === key);
    if (scope !== undefined && typeof value === 'object') return this.#scope(scope, value, path, within);
    const name = variableSchema.safeParse(key);
    if (!name.success) return this.#refuse(path, name.error.issues[0]?.message ?? 'not a name', 'key');
    const { federation, region } = within;
    if (typeof value === 'string' && !value.includes('\0')) return [{ federation, region, name: key, value }];
    const written = this.#document.writtenAt(path);
    if (written !== undefined) return [{ federation, region, name: key, value: written }];
    const near = typeof value === 'object' ? nearest(key, within.scopes) : undefined;
    return this.#refuse(
      path,
      `expected a text without NUL bytes${near === undefined ? '' : `: did you mean "${near}"?`}`,
    );
  }

  #scope(scope: Scope, value: unknown, path: KeyPath, within: Within): DatastoreEntry[] {
    if (value === null || Array.isArray(value)) return this.#refuse(path, `expected a map of ${scope}`);
    return Object.entries(value as object).flatMap(([key, inner]) => {
      const inside = [...path, key];
      if (!federationSchema.safeParse(key).success)
        return this.#refuse(inside, `not the name of a ${scope.slice(0, -1)}`, 'key');
      if (scope === 'regions') return this.read(inner, inside, { ...within, region: key, scopes: [] });
      return this.read(inner, inside, { federation: key, region: null, scopes: ['regions'] });
    });
  }

  #refuse(path: KeyPath, text: string, of: 'key' | 'value' = 'value'): [] {
    this.errors.push(invalidAt(this.#document, path, text, of));
    return [];
  }
}
