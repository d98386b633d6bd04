import type { Definition, Template } from '../definition/index.ts';
import { namesIn } from '../definition/index.ts';
import { findProvider } from './resolve-provider.ts';
import type { ResolveScope } from './resolve-scope.ts';

/** One variable that a definition requires, as a template over required names; null when no template can give it. */
export interface Requirement {
  readonly variable: string;
  readonly template: Template | null;
  readonly names: readonly string[];
}

/**
 * What a definition requires, in order of variable: its `requires`, and every name of each service in `requires: ["api"]`
 * under its own name (P18). An explicit `requires` or `environment` of that name goes before a name taken over from a
 * service. Of a service that is not defined, `api.*` stands for the names nobody knows.
 */
export function requirementsOf(scope: ResolveScope, definition: Definition): readonly Requirement[] {
  return scope.once(readRequirements, definition);
}

function readRequirements(scope: ResolveScope, definition: Definition): readonly Requirement[] {
  const found = new Map<string, Requirement>();
  for (const [variable, text] of Object.entries(definition.requires)) {
    const template = scope.template(text);
    found.set(variable, { variable, template, names: template === null ? [text] : namesIn(template) });
  }
  for (const service of definition.requiresServices)
    for (const name of namesOfService(scope, definition.federation, service))
      if (!found.has(name) && !Object.hasOwn(definition.environment, name))
        found.set(name, takenOver(scope, service, name));
  return [...found.values()].toSorted((a, b) => (a.variable < b.variable ? -1 : 1));
}

function namesOfService(scope: ResolveScope, federation: string, service: string): readonly string[] {
  const definition = scope.catalog.definition(federation, service)?.record;
  return definition === undefined ? [`${service}.*`] : Object.keys(definition.provides);
}

function takenOver(scope: ResolveScope, service: string, name: string): Requirement {
  if (name === `${service}.*`) return { variable: name, template: null, names: [name] };
  const qualified = `${service}.${name}`;
  return { variable: name, template: scope.template(`{${qualified}}`), names: [qualified] };
}

/** The definitions that a service of the node requires directly, by id: for balancer members and collected lists. */
export function requiredServices(scope: ResolveScope, definition: Definition): ReadonlyMap<string, Definition> {
  return scope.once(findServices, definition);
}

function findServices(scope: ResolveScope, definition: Definition): ReadonlyMap<string, Definition> {
  const found = new Map<string, Definition>();
  for (const { names } of requirementsOf(scope, definition))
    for (const name of names) {
      const provider = findProvider(scope, definition.federation, name);
      if (provider?.kind === 'services') for (const one of provider.definitions) found.set(one.id, one);
    }
  for (const id of definition.requiresServices) {
    const stored = scope.catalog.definition(definition.federation, id);
    if (stored !== undefined) found.set(id, stored.record);
  }
  return found;
}
