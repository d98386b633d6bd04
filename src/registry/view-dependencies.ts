import type { Definition } from '../definition/index.ts';
import { splitName } from '../definition/index.ts';
import type { CatalogNode } from './catalog-reader.ts';
import { nodeServices } from './compute-view.ts';
import { requirementsOf } from './resolve-requirements.ts';
import type { ResolveScope } from './resolve-scope.ts';

/** Everything beside the node itself whose change can change its view, also what does not exist yet. */
export interface ViewDependencies {
  /** Services whose instances count. */
  readonly services: ReadonlySet<string>;
  /** `<federation>/<id>`. */
  readonly definitions: ReadonlySet<string>;
  /** `<federation>/<name>` of required names: as a datastore, or newly provided by a definition. */
  readonly names: ReadonlySet<string>;
}

/** What the view of a node depends on. Pure. */
export function viewDependencies(scope: ResolveScope, node: CatalogNode): ViewDependencies {
  const own = nodeServices(scope.catalog, node);
  const parts = own.flatMap(({ definition }) =>
    definition === null ? [] : scope.once(definitionDependencies, definition),
  );
  const ids = own.map(({ id }) => `${node.record.federation}/${id}`);
  return {
    services: new Set(parts.flatMap((part) => [...part.services])),
    definitions: new Set([...ids, ...parts.flatMap((part) => [...part.definitions])]),
    names: new Set(parts.flatMap((part) => [...part.names])),
  };
}

function definitionDependencies(scope: ResolveScope, definition: Definition): ViewDependencies {
  const { federation } = definition;
  const services = new Set(definition.requiresServices);
  const names = new Set<string>();
  for (const required of requirementsOf(scope, definition).flatMap((one) => one.names)) {
    const { service, name } = splitName(required);
    if (service !== null) services.add(service);
    else names.add(`${federation}/${name}`);
    for (const one of service === null ? scope.catalog.providers(federation, name) : []) services.add(one.record.id);
  }
  return { services, definitions: new Set([...services].map((id) => `${federation}/${id}`)), names };
}
