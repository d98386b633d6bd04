import { hashedInputs } from './listener-inputs.ts';
import type { ListenerInputs, ServiceInputs } from './node-view.ts';

/** Whether a node's listener wants a provision, and what for, in people's words. */
export interface ListenerWish {
  readonly wanted: boolean;
  /** Such as `environment of app-www`, `definition api`, `membership of api`, `app-www assigned`; each once, in order. */
  readonly causes: readonly string[];
}

/**
 * What became different for a listener between two inputs (decision 040). A service that the node has only because an
 * instance is registered counts when it changes, never when it merely comes or goes: scaling provisions nobody. Pure.
 */
export function listenerWants(previous: ListenerInputs | null, next: ListenerInputs): ListenerWish {
  if (previous?.hash === next.hash) return { wanted: false, causes: [] };
  const before = previous?.services ?? {};
  const ids = new Set([...Object.keys(before), ...Object.keys(next.services)]);
  const causes = [...ids]
    .toSorted()
    .flatMap((id) => serviceCauses(id, entry(before, id), entry(next.services, id)))
    .concat(previous === null ? [] : membershipCauses(previous.membership, next.membership));
  return { wanted: causes.length > 0, causes };
}

/**
 * The inputs that a later `listenerWants` is compared with when `next` wanted nothing, or nothing was done about it yet:
 * `done` (what the last provision saw) with the registered-only services that came since, and without those that went.
 * So a later change of such a service is seen, while its coming and going is not. Pure.
 */
export function carryInputs(done: ListenerInputs, next: ListenerInputs): ListenerInputs {
  const services = new Map<string, ServiceInputs>();
  for (const [id, one] of Object.entries(done.services))
    if (one.assigned || entry(next.services, id) !== undefined) services.set(id, one);
  for (const [id, one] of Object.entries(next.services)) if (!one.assigned && !services.has(id)) services.set(id, one);
  return hashedInputs(Object.fromEntries(services), done.membership);
}

function serviceCauses(id: string, before: ServiceInputs | undefined, after: ServiceInputs | undefined): string[] {
  if (after?.assigned === true && before?.assigned !== true) return [`${id} assigned`];
  if (before?.assigned === true && after?.assigned !== true) return [`${id} no longer assigned`];
  if (before === undefined || after === undefined || before.digest === after.digest) return [];
  return [
    ...(before.environment === after.environment ? [] : [`environment of ${id}`]),
    ...(before.definition === after.definition ? [] : [`definition ${id}`]),
  ];
}

function membershipCauses(before: ListenerInputs['membership'], after: ListenerInputs['membership']): string[] {
  const ids = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...ids]
    .toSorted()
    .filter((id) => entry(before ?? {}, id) !== entry(after ?? {}, id))
    .map((id) => `membership of ${id}`);
}

/** An own entry only: a service may be called `constructor`, and an instance's `__proto__`. */
function entry<T>(record: Readonly<Record<string, T>>, id: string): T | undefined {
  return Object.hasOwn(record, id) ? record[id] : undefined;
}
