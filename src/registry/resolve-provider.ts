import type { Definition } from '../definition/index.ts';
import { splitName } from '../definition/index.ts';
import type { ResolveScope } from './resolve-scope.ts';

/** Who gives a required name its value: a datastore, or the definitions of one service or of one shared set. */
export type Provider =
  | { readonly kind: 'datastore'; readonly value: string }
  | { readonly kind: 'services'; readonly definitions: readonly Definition[] };

/**
 * Finds the provider of a required name (`API_URL`; `api.API_URL` is that of `api` and nobody else's, P18) within a
 * federation (semantics 2, steps 1 and 2); null = nobody defines it.
 */
export function findProvider(scope: ResolveScope, federation: string, required: string): Provider | null {
  const { catalog } = scope;
  const { service, name } = splitName(required);
  if (service !== null) return providedBy(catalog.definition(federation, service)?.record, name);
  const datastore = catalog.datastore(federation, catalog.region, name);
  if (datastore !== undefined) return { kind: 'datastore', value: datastore.record.value };
  const definitions = oneSet(catalog.providers(federation, name).map((stored) => stored.record));
  return definitions.length === 0 ? null : { kind: 'services', definitions };
}

function providedBy(definition: Definition | undefined, name: string): Provider | null {
  const provides = definition !== undefined && Object.hasOwn(definition.provides, name);
  return provides ? { kind: 'services', definitions: [definition] } : null;
}

/** Services that all say `shared` count as one; of others the first by id, as a second is refused when applied. */
function oneSet(providers: readonly Definition[]): readonly Definition[] {
  const shared = providers.filter((provider) => provider.shared);
  return shared.length === providers.length ? shared : providers.filter((provider) => !provider.shared).slice(0, 1);
}
