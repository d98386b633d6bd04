import type { CheckDefinition } from '../definition/index.ts';
import type { CheckStatus } from '../registry/index.ts';

/** How many results in a row it takes; Consul's fields, where 0 and 1 both mean the first. */
export interface Thresholds {
  readonly successBeforePassing: number;
  readonly failuresBeforeWarning: number;
  readonly failuresBeforeCritical: number;
}

/** Where a check stands: its status and the results since. */
export interface Standing {
  readonly status: CheckStatus;
  readonly successes: number;
  readonly failures: number;
}

/** The thresholds of a definition; a warning before critical is asked for by its own threshold only. */
export function thresholdsOf(definition: CheckDefinition): Thresholds {
  const failuresBeforeCritical = definition.failuresBeforeCritical ?? 0;
  return {
    successBeforePassing: definition.successBeforePassing ?? 0,
    failuresBeforeWarning: definition.failuresBeforeWarning || failuresBeforeCritical,
    failuresBeforeCritical,
  };
}

/**
 * The standing after one more result. Passing and warning results count as successes and show as they are once enough
 * came in a row; critical ones turn the status to warning, then to critical. Until then it stays as it was.
 */
export function judge(before: Standing, result: 'passing' | 'warning' | 'critical', thresholds: Thresholds): Standing {
  if (result !== 'critical') {
    const successes = before.successes + 1;
    const status = successes >= thresholds.successBeforePassing ? result : before.status;
    return { status, successes, failures: 0 };
  }
  const failures = before.failures + 1;
  return { status: afterFailures(failures, before.status, thresholds), successes: 0, failures };
}

function afterFailures(failures: number, before: CheckStatus, thresholds: Thresholds): CheckStatus {
  if (failures >= thresholds.failuresBeforeCritical) return 'critical';
  // Warning routes: a check that never passed, or is critical, does not get there by failing.
  const wasWell = before === 'passing' || before === 'warning';
  return wasWell && failures >= thresholds.failuresBeforeWarning ? 'warning' : before;
}
