import type { Definition } from '../definition/index.ts';
import { digest } from '../lib/index.ts';
import type { CatalogNode } from './catalog-reader.ts';
import type { BalancerView, Frontend, Member } from './node-view.ts';
import { requiredServices } from './resolve-requirements.ts';
import { memberOf, memberSet, portOf } from './resolve-scope.ts';
import type { MemberSet, ResolveScope } from './resolve-scope.ts';

/** A frontend with the digest of its members, so that a view's fingerprint need not read them again. */
interface Draft {
  readonly frontend: Frontend;
  readonly digest: string;
}

/**
 * What the node's balancer carries (semantics 3): one frontend for each service with `local_port` that one of the node's
 * `definitions` requires directly. `previous` gives the last members for `panic: keep`. null where the node runs none.
 * The fingerprint leaves out what changes nothing in HAProxy: reasons and panic. Pure.
 */
export function balancerView(
  scope: ResolveScope,
  node: CatalogNode,
  definitions: readonly Definition[],
  previous: BalancerView | null,
): { readonly view: BalancerView | null; readonly fingerprint: string } {
  const address = node.record.balancer?.address;
  if (address === undefined) return { view: null, fingerprint: EMPTY_BALANCER };
  const { ports, skipped } = assignPorts(requiredWithPort(scope, definitions), portsHeldHere(node, definitions));
  const drafts = [...ports].map(([port, services]) => draft(scope, port, services, previous));
  drafts.sort((a, b) => (a.frontend.service < b.frontend.service ? -1 : 1));
  const view = { address, frontends: drafts.map((one) => one.frontend), skipped };
  return { view, fingerprint: drafts.length === 0 ? EMPTY_BALANCER : digest([address, drafts.map(digestOf)]) };
}

/** Fingerprint of a balancer without frontends: it has nothing to do, just as one that is not there. */
export const EMPTY_BALANCER = digest(null);

function digestOf({ frontend, digest }: Draft): unknown {
  return [frontend.service, frontend.port, frontend.protocol, digest];
}

function requiredWithPort(
  scope: ResolveScope,
  definitions: readonly Definition[],
): (Definition & { readonly localPort: number })[] {
  const required = new Map(definitions.flatMap((definition) => [...requiredServices(scope, definition)]));
  return [...required.values()].filter(hasLocalPort).toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function hasLocalPort(definition: Definition): definition is Definition & { readonly localPort: number } {
  return definition.localPort !== null;
}

/** Ports that the node's own services hold on every address, by declaration: of their instances, else of the definition. */
function portsHeldHere(node: CatalogNode, definitions: readonly Definition[]): ReadonlyMap<number, string> {
  const held = new Map<number, string>();
  for (const definition of definitions) {
    if (definition.bind === 'node') continue;
    const local = [...node.instances.values()].filter((one) => one.record.service === definition.id);
    const ports = local.length === 0 ? [0] : local.map((one) => one.record.port);
    for (const port of ports.map((one) => portOf(definition, one))) if (port !== null) held.set(port, definition.id);
  }
  return held;
}

/** Gives each port to the first service by id; members of one shared set share it; conflicts cost nobody else. */
function assignPorts(
  required: readonly (Definition & { readonly localPort: number })[],
  held: ReadonlyMap<number, string>,
): { readonly ports: ReadonlyMap<number, readonly Definition[]>; readonly skipped: BalancerView['skipped'] } {
  const ports = new Map<number, Definition[]>();
  const skipped: { service: string; reason: string }[] = [];
  for (const service of required) {
    const port = service.localPort;
    const holder = held.get(port);
    const services = ports.get(port);
    if (holder !== undefined) skipped.push({ service: service.id, reason: heldReason(service.id, holder, port) });
    else if (services === undefined) ports.set(port, [service]);
    else if (service.shared && services.every((one) => one.shared)) services.push(service);
    else skipped.push({ service: service.id, reason: `port ${port} is already that of ${services[0]?.id}` });
  }
  return { ports, skipped };
}

function heldReason(service: string, holder: string, port: number): string {
  return holder === service
    ? `this node runs ${service} on port ${port} itself`
    : `port ${port} is held by ${holder}, which this node runs`;
}

function draft(
  scope: ResolveScope,
  port: number,
  services: readonly Definition[],
  previous: BalancerView | null,
): Draft {
  const first = services[0] as Definition;
  const current = scope.members(services);
  const kept = current.members.length === 0 ? keptMembers(scope, services, previous) : null;
  const { members, digest } = kept ?? current;
  return {
    frontend: { service: first.id, port, protocol: first.protocol, members, panicking: kept !== null },
    digest,
  };
}

/**
 * `panic: keep`: the last members that are still registered and critical or unknown, be it none; where nothing is known of
 * the last ones (a server that has just started), all such instances. Asked again, it says the same.
 */
function keptMembers(
  scope: ResolveScope,
  services: readonly Definition[],
  previous: BalancerView | null,
): MemberSet | null {
  const keeping = services.filter((service) => service.panic === 'keep');
  if (keeping.length === 0) return null;
  const before = previous?.frontends.find((one) => one.service === services[0]?.id)?.members;
  const last = before === undefined ? null : new Set(before.map((member) => member.key));
  const members = keeping
    .flatMap((service) =>
      scope
        .candidates(service.federation, service.id)
        .filter(
          ({ key, health }) => (health === 'critical' || health === 'unknown') && (last === null || last.has(key)),
        )
        .map((candidate) => memberOf(candidate, service)),
    )
    .filter((member): member is Member => member !== null);
  return members.length === 0 ? null : memberSet(members);
}
