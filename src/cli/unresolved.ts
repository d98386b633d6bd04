import type { WireEnvironment } from '../../client/src/index.ts';
import { unresolvedNames, unresolvedOf } from '../environment/index.ts';
import type { DroverError } from '../lib/index.ts';

/**
 * What keeps a service's environment from being whole, each name with what mends it; null when it is whole. With `ready`
 * names count too whose provider does not answer now (semantics 2).
 */
export function unresolvedError(
  environment: WireEnvironment,
  options: { readonly ready: boolean },
): DroverError | null {
  const { service } = environment;
  const { missing, waiting } = unresolvedOf(environment, options);
  const names = [...missing, ...waiting];
  if (names.length === 0) return null;
  const problems = [
    ...missing.map((name) => missingError(service, name)),
    ...waiting.map((name) => waitingError(service, name)),
  ];
  return problems.length === 1 ? (problems[0] as DroverError) : unresolvedNames.with({ problems }, service, names);
}

function missingError(service: string, name: string): DroverError {
  const hint = `set it with drover datastore:set ${name} -, or apply a definition that provides it`;
  return unresolvedNames.with({ hint }, service, [`${name} is missing`]);
}

function waitingError(service: string, name: string): DroverError {
  const hint = 'drover service:list shows what does not pass its checks';
  return unresolvedNames.with({ hint }, service, [`${name} waits for an instance that answers`]);
}
