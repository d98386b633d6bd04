import type { Definition } from '../definition/index.ts';
import { splitName } from '../definition/index.ts';
import type { CatalogNode } from './catalog-reader.ts';
import { nodeServices } from './compute-view.ts';
import { findProvider } from './resolve-provider.ts';
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
  /** Services of which the node takes one instance's value (semantics 2.4): what it had before counts as well. */
  readonly direct: ReadonlySet<string>;
}

/** What the view of a node depends on. Pure. */
export function viewDependencies(scope: ResolveScope, node: CatalogNode): ViewDependencies {
  const own = nodeServices(scope.catalog, node);
  const definitions = own.flatMap(({ definition }) => definition ?? []);
  const parts = definitions.map((one) => scope.once(definitionDependencies, one));
  const { balancer } = node.record;
  const direct = definitions.flatMap((one) => [
    ...scope.once(alwaysDirect, one),
    ...(balancer === null ? scope.once(withoutBalancerDirect, one) : []),
  ]);
  const ids = own.map(({ id }) => `${node.record.federation}/${id}`);
  return {
    services: new Set(parts.flatMap((part) => [...part.services])),
    definitions: new Set([...ids, ...parts.flatMap((part) => [...part.definitions])]),
    names: new Set(parts.flatMap((part) => [...part.names])),
    direct: new Set(direct),
  };
}

function definitionDependencies(scope: ResolveScope, definition: Definition): Omit<ViewDependencies, 'direct'> {
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

/** Services without a port of the local balancer: one of their instances gives the value. */
function alwaysDirect(scope: ResolveScope, definition: Definition): readonly string[] {
  return providersOf(scope, definition).flatMap((set) =>
    set.some((one) => one.localPort !== null) ? [] : set.map(({ id }) => id),
  );
}

/** Those with one: balanced where a balancer runs. */
function withoutBalancerDirect(scope: ResolveScope, definition: Definition): readonly string[] {
  return providersOf(scope, definition).flatMap((set) =>
    set.some((one) => one.localPort !== null) ? set.map(({ id }) => id) : [],
  );
}

/** The services, or the one shared set, behind each required name. */
function providersOf(scope: ResolveScope, definition: Definition): readonly (readonly Definition[])[] {
  return requirementsOf(scope, definition)
    .flatMap(({ names }) => names)
    .map((name) => findProvider(scope, definition.federation, name))
    .flatMap((provider) => (provider?.kind === 'services' ? [provider.definitions] : []));
}
