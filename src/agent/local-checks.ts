import type { HealthChecks } from '../health/index.ts';
import type { CheckRecord } from '../registry/index.ts';
import { checkToRun, type RegisteredCheck } from './registered-check.ts';
import type { Registrations } from './registrations.ts';

/**
 * Begins a registered check, or changes the one that runs under its id.
 *
 * @throws HEALTH_INVALID_CHECK, HEALTH_SCRIPTS_DISABLED, HEALTH_REMOTE_SCRIPTS_DISABLED
 */
export function runCheck(health: HealthChecks, registrations: Registrations, check: RegisteredCheck): CheckRecord {
  return health.replace(checkToRun(check, registrations.services.get(check.serviceId)?.instance));
}
