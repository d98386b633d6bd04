import type { Definition } from '../definition/index.ts';
import { digest } from '../lib/index.ts';
import type { CatalogNode } from './catalog-reader.ts';
import type { ListenerInputs, ServiceEnvironment, ServiceInputs } from './node-view.ts';
import { requiredServices } from './resolve-requirements.ts';
import { addressOf } from './resolve-scope.ts';
import type { ResolveScope } from './resolve-scope.ts';

/** A service of the node with what is known of it. */
export interface NodeService {
  readonly id: string;
  readonly assigned: boolean;
  readonly registered: boolean;
  readonly definition: Definition | null;
}

/** What the node's listener hashes (semantics 5): values, not states, so a value that merely went stale wants nothing. Pure. */
export function listenerInputs(
  scope: ResolveScope,
  node: CatalogNode,
  services: readonly NodeService[],
  environments: readonly ServiceEnvironment[],
): ListenerInputs {
  const byService = new Map(environments.map((one) => [one.service, one]));
  const inputs = Object.fromEntries(
    services.map((service) => [service.id, serviceInputs(scope, service, byService.get(service.id))]),
  );
  const membership = node.record.membership === true ? membershipOf(scope, node, services) : null;
  return hashedInputs(inputs, membership);
}

/** Listener inputs with the hash over all of them. */
export function hashedInputs(
  services: ListenerInputs['services'],
  membership: ListenerInputs['membership'],
): ListenerInputs {
  const ofServices = Object.entries(services).map(([id, { digest: content, assigned }]) => [id, content, assigned]);
  const hash = digest([
    ofServices.toSorted(byName),
    Object.entries(membership ?? {}).toSorted(byName),
    membership === null,
  ]);
  return { services, membership, hash };
}

/** Of a node without a listener. */
export const NO_LISTENER_INPUTS: ListenerInputs = Object.freeze(hashedInputs({}, null));

function byName([a]: readonly unknown[], [b]: readonly unknown[]): number {
  return String(a) < String(b) ? -1 : 1;
}

/** What is the same for every service that nobody has defined. */
const UNDEFINED = inputsOf('', digest([]), false);
const UNDEFINED_ASSIGNED = inputsOf('', digest([]), true);

function serviceInputs(
  scope: ResolveScope,
  { definition, assigned }: NodeService,
  environment: ServiceEnvironment | undefined,
): ServiceInputs {
  if (definition === null) return assigned ? UNDEFINED_ASSIGNED : UNDEFINED;
  const definitionDigest = scope.digest(definition);
  const values = environment?.variables.map(({ name, value }) => [name, value]) ?? [];
  return inputsOf(definitionDigest, digest(values), assigned);
}

function inputsOf(definition: string, environment: string, assigned: boolean): ServiceInputs {
  return Object.freeze({ digest: digest([definition, environment]), definition, environment, assigned });
}

/** By required service: who runs it, where. Health is left out: a flapping check must not provision; draining is announced as gone. */
function membershipOf(
  scope: ResolveScope,
  node: CatalogNode,
  services: readonly NodeService[],
): Readonly<Record<string, string>> {
  const members = new Map<string, string>();
  for (const { definition } of services) {
    if (definition === null) continue;
    for (const id of requiredServices(scope, definition).keys())
      if (!members.has(id)) members.set(id, membersDigest(scope, node, id));
  }
  return Object.fromEntries(members);
}

function membersDigest(scope: ResolveScope, node: CatalogNode, service: string): string {
  const members = scope
    .candidates(node.record.federation, service)
    .filter((one) => one.health !== 'draining')
    .map(({ key, instance }) => [key, addressOf(instance), instance.record.port]);
  return digest(members);
}
