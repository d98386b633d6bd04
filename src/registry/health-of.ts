import type { Check, Instance } from './catalog-reader.ts';
import { isOut } from './lost.ts';
import { NODE_MAINTENANCE, serviceMaintenance } from './records.ts';
import type { Health } from './records.ts';

const WORST_FIRST: readonly Health[] = ['maintenance', 'draining', 'critical', 'unknown', 'warning', 'passing'];
const SEVERITY: Readonly<Record<Health, number>> = Object.freeze(
  Object.fromEntries(WORST_FIRST.map((health, index) => [health, WORST_FIRST.length - index])) as Record<
    Health,
    number
  >,
);

/**
 * Health of an instance for routing (semantics 1): the worst of its own and its node's checks, where one that is lost
 * with its node counts as critical, a maintenance check as maintenance, and no check at all as passing.
 */
export function healthOf(instance: Instance): Health {
  const { node } = instance;
  let worst: Health = isOut(instance) ? 'critical' : 'passing';
  if (instance.record.draining === true) worst = 'draining';
  const maintenance = serviceMaintenance(instance.record.id);
  for (const check of instance.checks.values()) worst = worseOf(worst, healthOfCheck(check, maintenance));
  for (const check of node.checks.values()) worst = worseOf(worst, healthOfCheck(check, NODE_MAINTENANCE));
  return worst;
}

/** Whether an instance of this health gets traffic: passing and warning do. */
export function isRoutable(health: Health): boolean {
  return health === 'passing' || health === 'warning';
}

/** The instance's share of traffic: its passing or its warning weight; 0 when it gets none. */
export function weightOf(instance: Instance, health: Health = healthOf(instance)): number {
  if (!isRoutable(health)) return 0;
  return instance.record.weights[health === 'warning' ? 'warning' : 'passing'];
}

/** The worse of two healths. */
export function worseOf(a: Health, b: Health): Health {
  return SEVERITY[a] >= SEVERITY[b] ? a : b;
}

function healthOfCheck(check: Check, maintenanceId: string): Health {
  const { id, status } = check.record;
  if (id === maintenanceId) return status === 'passing' ? 'passing' : 'maintenance';
  return status;
}
