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
  const { federation } = node.record;
  const definitions = new Set<string>();
  const services = new Set<string>();
  const names = new Set<string>();
  const require = (id: string): void => {
    services.add(id);
    definitions.add(`${federation}/${id}`);
  };
  for (const { id, definition } of nodeServices(scope.catalog, node)) {
    definitions.add(`${federation}/${id}`);
    if (definition === null) continue;
    definition.requiresServices.forEach(require);
    for (const required of requirementsOf(scope, definition).flatMap((one) => one.names)) {
      const { service, name } = splitName(required);
      if (service !== null) require(service);
      else names.add(`${federation}/${name}`);
      for (const one of service === null ? scope.catalog.providers(federation, name) : []) require(one.record.id);
    }
  }
  return { services, definitions, names };
}
