import type { Definition } from '../definition/index.ts';
import { digest } from '../lib/index.ts';
import { balancerView, EMPTY_BALANCER } from './balancer-view.ts';
import type { CatalogNode, CatalogReader } from './catalog-reader.ts';
import { environmentView } from './environment-view.ts';
import type { Choices } from './environment-view.ts';
import { listenerInputs, NO_LISTENER_INPUTS } from './listener-inputs.ts';
import type { NodeService } from './listener-inputs.ts';
import type { BalancerView, NodeView, ServiceEnvironment } from './node-view.ts';
import { offeredChecks } from './offered-checks.ts';
import { ResolveScope } from './resolve-scope.ts';

/** What a node had before: its direct choices, and the balancer whose last members `panic: keep` keeps. A NodeView is one. */
export interface PreviousView {
  readonly choices: Choices;
  readonly balancer?: BalancerView | null;
}

/**
 * The view of a node at the catalog's revision (design 6); null for an unknown node. `scope` lets the views of one
 * revision share what they have in common; it must have been made from this catalog in this event-loop turn. Pure.
 */
export function computeView(
  catalog: CatalogReader,
  nodeName: string,
  previous: PreviousView | null,
  scope: ResolveScope = new ResolveScope(catalog),
): NodeView | null {
  const node = catalog.node(nodeName);
  if (node === undefined) return null;
  const services = nodeServices(catalog, node);
  const definitions = services.map((one) => one.definition).filter((one) => one !== null);
  const { environments, choices } = environmentsOf(scope, node, definitions, previous?.choices ?? {});
  const balancer = balancerView(scope, node, definitions, previous?.balancer ?? null);
  const hasListener = node.record.consumers.includes('listener');
  const listener = hasListener ? listenerInputs(scope, node, services, environments) : NO_LISTENER_INPUTS;
  return {
    revision: catalog.revision,
    node: nodeName,
    address: node.record.address,
    federation: node.record.federation,
    region: catalog.region,
    services: services.map(({ id, assigned, registered }) => ({ id, assigned, registered })),
    environments,
    balancer: balancer.view,
    listener,
    checks: offeredChecks(catalog, node),
    choices,
    fingerprints: {
      environment: environmentFingerprint(environments),
      balancer: balancer.fingerprint,
      listener: listener.hash,
    },
  };
}

/** The node's services in order of id: what it is told to run and what is registered on it (P19). */
export function nodeServices(catalog: CatalogReader, node: CatalogNode): readonly NodeService[] {
  const { runs, federation } = node.record;
  const registered = new Set([...node.instances.values()].map((one) => one.record.service));
  return [...new Set([...runs, ...registered])].toSorted().map((id) => ({
    id,
    assigned: runs.includes(id),
    registered: registered.has(id),
    definition: catalog.definition(federation, id)?.record ?? null,
  }));
}

function environmentsOf(
  scope: ResolveScope,
  node: CatalogNode,
  definitions: readonly Definition[],
  previous: Choices,
): { readonly environments: readonly ServiceEnvironment[]; readonly choices: Choices } {
  const views = definitions.map((definition) => environmentView(scope, node, definition, previous));
  return {
    environments: views.map((one) => one.environment),
    choices: Object.assign({}, ...views.map((one) => one.choices)) as Choices,
  };
}

/** Fingerprints of a view that asks nothing of its consumers: what a node has before its first view. */
export const NO_FINGERPRINTS: Omit<NodeView['fingerprints'], 'listener'> = Object.freeze({
  environment: environmentFingerprint([]),
  balancer: EMPTY_BALANCER,
});

/** What the environment's files depend on: values, and what is missing (the file then stays and the receipt names it). */
function environmentFingerprint(environments: readonly ServiceEnvironment[]): string {
  return digest(
    environments.map(({ service, variables }) => [
      service,
      variables.map(({ name, value, state, unresolved }) => [name, value, state === 'missing', unresolved]),
    ]),
  );
}
