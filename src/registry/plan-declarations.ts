import { checkSet, throwAll } from '../definition/index.ts';
import type { Definition } from '../definition/index.ts';
import { canonicalJson } from '../lib/index.ts';
import type { Catalog } from './catalog.ts';
import type { Revision } from '../store/index.ts';
import { historyWrites } from './declared-by.ts';
import type { Before, Declarer } from './declared-by.ts';
import { changedSince } from './errors.ts';
import { datastoreKey, definitionKey, namesKey, topic } from './keys.ts';
import type { DatastoreRecord } from './records.ts';
import { packPlans, TxnPlan } from './txn-plan.ts';

/** So many compares and writes fit in one transaction of etcd’s, unless told otherwise, with what the store compares besides. */
const LIMIT = 120;

export interface DatastorePlace {
  readonly federation: string;
  /** `-` = every region without a value of its own. */
  readonly region: string;
  readonly name: string;
}

/** Who declares, and over which state: see `DeclareOptions`. */
export interface Declaration {
  readonly by: Declarer | null;
  readonly expected?: Revision | undefined;
}

/**
 * What to write so that the definitions are in the region.
 *
 * @throws what is wrong with all of them together, such as a second provider of a name; REGISTRY_CHANGED_SINCE
 */
export function planDefinitions(
  catalog: Catalog,
  definitions: readonly Definition[],
  declaration: Declaration,
): TxnPlan[] {
  for (const { federation, id } of definitions) {
    const known = catalog.definition(federation, id);
    expectState(declaration, `definition ${id}`, known);
  }
  check(catalog, definitions, places(catalog));
  const changed = definitions.filter((definition) => {
    const known = catalog.definition(definition.federation, definition.id);
    return known === undefined || canonicalJson(known.record) !== canonicalJson(definition);
  });
  return packPlans(
    changed.map((definition) => {
      const { federation, id } = definition;
      const key = definitionKey(federation, id);
      const known = catalog.definition(federation, id);
      const plan = new TxnPlan().expect(key, known?.modRevision ?? 0).put(key, definition);
      plan.add(...historyWrites(declaration.by, 'def', key, known, catalog.revision));
      return guardNames(catalog, federation, plan);
    }),
    LIMIT,
  );
}

/** What to write so that the definition is gone. @throws REGISTRY_CHANGED_SINCE */
export function planDefinitionRemoval(
  catalog: Catalog,
  federation: string,
  id: string,
  declaration: Declaration,
): TxnPlan[] {
  const known = catalog.definition(federation, id);
  const key = definitionKey(federation, id);
  expectState(declaration, `definition ${id}`, known);
  if (known === undefined) return [];
  const plan = new TxnPlan().expect(key, known.modRevision).delete(key);
  plan.add(...historyWrites(declaration.by, 'def', key, known, catalog.revision));
  return [plan.tomb(topic.definitions, topic.definition(federation, id))];
}

/** What to write so that the datastore has the value. @throws when a definition provides the name, REGISTRY_CHANGED_SINCE */
export function planDatastore(
  catalog: Catalog,
  place: DatastorePlace,
  value: string,
  declaration: Declaration,
): TxnPlan[] {
  const { federation, region, name } = place;
  const known = exactly(catalog, place);
  const key = datastoreKey(federation, region, name);
  expectState(declaration, `datastore ${name}`, known);
  if (known?.record.value === value) return [];
  const plan = new TxnPlan().expect(key, known?.modRevision ?? 0).put(key, { name, value } satisfies DatastoreRecord);
  plan.add(...historyWrites(declaration.by, 'ds', key, known, catalog.revision));
  // A value in place of another depends on nothing but the names of the federation, which need not change for it: a
  // thousand of them need not wait for each other.
  if (known !== undefined) return [plan.expect(namesKey(federation), catalog.namesRevision(federation))];
  const providers = catalog.providers(federation, name).map((stored) => stored.record);
  check(catalog, providers, [...places(catalog), place]);
  return [guardNames(catalog, federation, plan)];
}

/** What to write so that the datastore has no value of that region. @throws REGISTRY_CHANGED_SINCE */
export function planDatastoreRemoval(catalog: Catalog, place: DatastorePlace, declaration: Declaration): TxnPlan[] {
  const { federation, region, name } = place;
  const known = exactly(catalog, place);
  const key = datastoreKey(federation, region, name);
  expectState(declaration, `datastore ${name}`, known);
  if (known === undefined) return [];
  const plan = new TxnPlan().expect(key, known.modRevision).delete(key);
  plan.add(...historyWrites(declaration.by, 'ds', key, known, catalog.revision));
  return [plan.tomb(topic.datastores, topic.datastore(federation, name))];
}

function expectState({ expected }: Declaration, what: string, known: Before): void {
  const current = known?.modRevision ?? 0;
  if (expected !== undefined && expected !== current) throw changedSince(what, expected, current);
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
