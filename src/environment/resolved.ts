import type { ServiceEnvironment, Variable } from '../registry/index.ts';

/** What stands between a service and its environment: names nobody defines, and names that wait for their first value. */
export interface Unresolved {
  readonly missing: readonly string[];
  readonly waiting: readonly string[];
}

/**
 * The required names for which there is no value (semantics 2), each once, in order. An environment is whole when both
 * lists are empty: waiting with a known value and stale count as there, unless `ready` asks for what answers now.
 */
export function unresolvedOf(environment: ServiceEnvironment, options: { ready?: boolean } = {}): Unresolved {
  const { variables } = environment;
  const missing = variables.filter((variable) => variable.state === 'missing');
  const waiting = variables.filter(
    ({ state, value }) =>
      (state === 'waiting' && (value === null || options.ready === true)) ||
      (state === 'stale' && options.ready === true),
  );
  return { missing: namesOf(missing), waiting: namesOf(waiting) };
}

/** True when every variable has a value. */
export function isWhole(environment: ServiceEnvironment): boolean {
  const { missing, waiting } = unresolvedOf(environment);
  return missing.length === 0 && waiting.length === 0;
}

function namesOf(variables: readonly Variable[]): readonly string[] {
  const names = variables.flatMap(({ name, unresolved }) => (unresolved.length > 0 ? unresolved : [name]));
  return [...new Set(names)].toSorted();
}
