import { checkSet, throwAll } from '../definition/index.ts';
import type { Definition } from '../definition/index.ts';
import { canonicalJson } from '../lib/index.ts';
import type { Catalog } from './catalog.ts';
import { datastoreKey, definitionKey, namesKey, topic } from './keys.ts';
import type { DatastoreRecord } from './records.ts';
import { packPlans, TxnPlan } from './txn-plan.ts';

const LIMIT = 128;

export interface DatastorePlace {
  readonly federation: string;
  /** `-` = every region without a value of its own. */
  readonly region: string;
  readonly name: string;
}

/**
 * What to write so that the definitions are in the region.
 *
 * @throws what is wrong with all of them together, such as a second provider of a name
 */
export function planDefinitions(catalog: Catalog, definitions: readonly Definition[]): TxnPlan[] {
  check(catalog, definitions, places(catalog));
  const changed = definitions.filter((definition) => {
    const known = catalog.definition(definition.federation, definition.id);
    return known === undefined || canonicalJson(known.record) !== canonicalJson(definition);
  });
  return packPlans(
    changed.map((definition) => {
      const { federation, id } = definition;
      const key = definitionKey(federation, id);
      const plan = new TxnPlan().expect(key, catalog.definition(federation, id)?.modRevision ?? 0).put(key, definition);
      return guardNames(catalog, federation, plan);
    }),
    LIMIT,
  );
}

/** What to write so that the definition is gone. */
export function planDefinitionRemoval(catalog: Catalog, federation: string, id: string): TxnPlan[] {
  const known = catalog.definition(federation, id);
  if (known === undefined) return [];
  const key = definitionKey(federation, id);
  const plan = new TxnPlan().expect(key, known.modRevision).delete(key);
  return [plan.tomb(topic.definitions, topic.definition(federation, id))];
}

/** What to write so that the datastore has the value. @throws when a definition provides the name */
export function planDatastore(catalog: Catalog, place: DatastorePlace, value: string): TxnPlan[] {
  const { federation, region, name } = place;
  const known = exactly(catalog, place);
  if (known?.record.value === value) return [];
  const key = datastoreKey(federation, region, name);
  if (known !== undefined) return [replaceDatastore(catalog, federation, key, { name, value })];
  const plan = new TxnPlan().expect(key, 0).put(key, { name, value });
  const providers = catalog.providers(federation, name).map((stored) => stored.record);
  check(catalog, providers, [...places(catalog), place]);
  return [guardNames(catalog, federation, plan)];
}

/**
 * A value in place of another depends on nothing but the names of the federation, which its transaction compares: a thousand
 * of them need not wait for each other.
 */
function replaceDatastore(catalog: Catalog, federation: string, key: string, record: DatastoreRecord): TxnPlan {
  return new TxnPlan().expect(namesKey(federation), catalog.namesRevision(federation)).put(key, record);
}

/** What to write so that the datastore has no value of that region. */
export function planDatastoreRemoval(catalog: Catalog, place: DatastorePlace): TxnPlan[] {
  const { federation, region, name } = place;
  const known = exactly(catalog, place);
  if (known === undefined) return [];
  const key = datastoreKey(federation, region, name);
  const plan = new TxnPlan().expect(key, known.modRevision).delete(key);
  return [plan.tomb(topic.datastores, topic.datastore(federation, name))];
}

/** Two transactions that each bring names into a federation cannot both rely on the names that were there before. */
function guardNames(catalog: Catalog, federation: string, plan: TxnPlan): TxnPlan {
  const key = namesKey(federation);
  return plan.expect(key, catalog.namesRevision(federation)).put(key, {});
}

function check(catalog: Catalog, applied: readonly Definition[], datastores: readonly DatastorePlace[]): void {
  const existing = catalog.definitions().map((stored) => stored.record);
  const { errors } = checkSet({ existing, applied, datastores });
  if (errors.length > 0) throwAll(errors);
}

function places(catalog: Catalog): DatastorePlace[] {
  return catalog.datastores().map(({ federation, region, record }) => ({ federation, region, name: record.name }));
}

function exactly(catalog: Catalog, { federation, region, name }: DatastorePlace) {
  const found = catalog.datastore(federation, region, name) as ReturnType<Catalog['datastores']>[number] | undefined;
  return found?.region === region ? found : undefined;
}
