import type { Definition } from '../definition/index.ts';
import { splitName } from '../definition/index.ts';
import type { CatalogNode } from './catalog-reader.ts';
import { isRoutable } from './health-of.ts';
import type { DirectChoice, VariableState } from './node-view.ts';
import { chooseInstance } from './resolve-choice.ts';
import { findProvider } from './resolve-provider.ts';
import type { Provider } from './resolve-provider.ts';
import type { Candidate, ResolveScope } from './resolve-scope.ts';
import { balancedValue, directValue } from './resolve-value.ts';

/** What became of one required name on a node (semantics 2). */
export interface Resolved {
  readonly required: string;
  readonly value: string | null;
  readonly state: Exclude<VariableState, 'own'>;
  readonly secret: boolean;
  /** For people; null when nobody defines the name. */
  readonly from: string | null;
  /** The direct choice to be kept for the next time. */
  readonly choice?: DirectChoice;
}

/**
 * Resolves a required name (`API_URL`, `api.API_URL`) for a consumer on a node. `previous` is the direct choice that the
 * node had for it, which is kept while its instance is routable, and whose value stands when none is. Pure.
 */
export function resolve(
  scope: ResolveScope,
  node: CatalogNode,
  required: string,
  previous: DirectChoice | undefined,
): Resolved {
  const provider = findProvider(scope, node.record.federation, required);
  if (provider === null) return { required, value: null, state: 'missing', secret: false, from: null };
  if (provider.kind === 'datastore') return fromDatastore(required, provider);
  const { definitions } = provider;
  const isBalanced = node.record.balancer !== null && definitions.some((one) => one.localPort !== null);
  return isBalanced
    ? resolveBalanced(scope, node, required, definitions)
    : resolveDirect(scope, node, required, definitions, previous);
}

function fromDatastore(required: string, { value }: Extract<Provider, { kind: 'datastore' }>): Resolved {
  return { required, value, state: 'ready', secret: true, from: `datastore ${required}` };
}

function resolveBalanced(
  scope: ResolveScope,
  node: CatalogNode,
  required: string,
  definitions: readonly Definition[],
): Resolved {
  // A shared set agrees on template and local_port, so the first speaks for all.
  const first = definitions.find((one) => one.localPort !== null) as Definition;
  const value = balancedValue(scope, first, splitName(required).name, node);
  const isReady = value !== null && scope.members(definitions).members.some((one) => !one.draining);
  return { required, value, state: isReady ? 'ready' : 'waiting', secret: false, from: `${first.id} (balancer)` };
}

function resolveDirect(
  scope: ResolveScope,
  node: CatalogNode,
  required: string,
  definitions: readonly Definition[],
  previous: DirectChoice | undefined,
): Resolved {
  const { name } = splitName(required);
  const offers = new Map<string, { candidate: Candidate; service: string; value: string }>();
  for (const [candidate, definition] of candidatesOf(scope, definitions)) {
    if (!isRoutable(candidate.health)) continue;
    const value = directValue(scope, definition, name, candidate);
    if (value !== null) offers.set(candidate.key, { candidate, service: definition.id, value });
  }
  const kept = previous !== undefined && offers.has(previous.instance);
  const key = kept ? previous.instance : chooseInstance(node.record.name, name, [...offers.keys()]);
  const offer = key === undefined ? undefined : offers.get(key);
  if (key === undefined || offer === undefined) return withoutOffer(required, definitions, previous);
  const { value } = offer;
  const from = `${offer.service}@${offer.candidate.instance.node.record.name} (direct)`;
  return { required, value, state: 'ready', secret: false, from, choice: { instance: key, value } };
}

function withoutOffer(
  required: string,
  definitions: readonly Definition[],
  previous: DirectChoice | undefined,
): Resolved {
  const services = definitions.map((one) => one.id).join(', ');
  if (previous === undefined)
    return { required, value: null, state: 'waiting', secret: false, from: `${services} (direct)` };
  const from = `${services}@${previous.instance.split('/')[0]} (direct, last known)`;
  return { required, value: previous.value, state: 'stale', secret: false, from, choice: previous };
}

function candidatesOf(scope: ResolveScope, definitions: readonly Definition[]): [Candidate, Definition][] {
  return definitions.flatMap((definition) =>
    scope
      .candidates(definition.federation, definition.id)
      .map((candidate): [Candidate, Definition] => [candidate, definition]),
  );
}
