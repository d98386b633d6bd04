export type { AliasTarget, AliasTargets } from './alias-target.ts';
export { checkKind, type CheckKind, runsCommand } from './check-kind.ts';
export { type CheckBasics, type CheckOwner, checkIdOf, checkRecordOf } from './check-record.ts';
export type { CriticalTooLong } from './critical-watch.ts';
export * from './errors.ts';
export { HealthChecks, type CheckToRun, type HealthChecksOptions } from './health-checks.ts';
export { safeEnvironment } from './safe-environment.ts';
