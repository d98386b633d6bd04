import type { Definition } from '../definition/index.ts';
import { renderTemplate } from '../definition/index.ts';
import type { CatalogNode } from './catalog-reader.ts';
import type { DirectChoice, ServiceEnvironment, Variable, VariableState } from './node-view.ts';
import { requirementsOf } from './resolve-requirements.ts';
import type { Requirement } from './resolve-requirements.ts';
import type { ResolveScope } from './resolve-scope.ts';
import { resolve } from './resolve.ts';
import type { Resolved } from './resolve.ts';

/** Direct choices by `<service>/<required name>`. */
export type Choices = Readonly<Record<string, DirectChoice>>;

/** The environment of one service on a node, and the direct choices that went into it. Pure. */
export function environmentView(
  scope: ResolveScope,
  node: CatalogNode,
  definition: Definition,
  previous: Choices,
): { readonly environment: ServiceEnvironment; readonly choices: Choices } {
  const choices: Record<string, DirectChoice> = {};
  const required = requirementsOf(scope, definition).map((requirement) => {
    const resolved = requirement.names.map((name) => {
      const key = `${definition.id}/${name}`;
      const one = resolve(scope, node, name, Object.hasOwn(previous, key) ? previous[key] : undefined);
      if (one.choice !== undefined) choices[key] = one.choice;
      return one;
    });
    return requiredVariable(requirement, resolved);
  });
  const variables = [...ownVariables(definition), ...required];
  return { environment: { service: definition.id, variables }, choices };
}

/** The definition's own values in its order; a required variable of the same name goes before one. */
function ownVariables(definition: Definition): Variable[] {
  return Object.entries(definition.environment)
    .filter(([name]) => !Object.hasOwn(definition.requires, name))
    .map(([name, value]) => ({ name, value, state: 'own', secret: false, from: [], unresolved: [] }));
}

function requiredVariable({ variable, template }: Requirement, resolved: readonly Resolved[]): Variable {
  const values = new Map(resolved.map((one) => [one.required, one.value]));
  const text = template === null ? undefined : renderTemplate(template, (name) => values.get(name) ?? undefined);
  return {
    name: variable,
    value: text ?? null,
    state: template === null ? 'missing' : worstState(resolved),
    secret: resolved.some((one) => one.secret),
    from: resolved.map((one) => one.from).filter((from) => from !== null),
    unresolved: resolved.filter((one) => one.value === null).map((one) => one.required),
  };
}

const WORST_FIRST: readonly VariableState[] = ['missing', 'waiting', 'stale'];

function worstState(resolved: readonly Resolved[]): VariableState {
  return WORST_FIRST.find((state) => resolved.some((one) => one.state === state)) ?? 'ready';
}
