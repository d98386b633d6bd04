export * from './errors.ts';
export { recordFileOf } from './record.ts';
export type { ShimExit } from './record.ts';
export { findRun, ShimRun } from './run.ts';
export { lockFileOf, startUnderShim } from './start.ts';
export type { ShimOptions } from './start.ts';
