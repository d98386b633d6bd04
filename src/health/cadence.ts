import type { CheckDefinition } from '../definition/index.ts';

/** Consul's shortest interval: shorter ones are taken as this, but for the first run. */
export const MIN_INTERVAL_MS = 1_000;
export const DEFAULT_INTERVAL_MS = 10_000;

/** How many checks of one agent begin for the first time in a second, about. */
const FIRST_RUNS_PER_SECOND = 200;
/** A run comes up to this part of the interval early: never late, so that a failure is seen within the interval. */
const JITTER = 0.05;
/** The second run comes earlier still, so that checks which began together do not stay together. */
const SECOND_JITTER = 0.5;

/** When the first of `count` checks' runs begins: at once, spread so that many do not begin together. */
export function firstDelayMs(definition: CheckDefinition, count: number, random: () => number): number {
  const spreadMs = (count * 1_000) / FIRST_RUNS_PER_SECOND;
  return random() * Math.min(spreadMs, definition.intervalMs || DEFAULT_INTERVAL_MS);
}

/**
 * How long after its `runs`-th run ended the next one begins. Turns are counted from beginning to beginning; those that a
 * long run missed are left out.
 */
export function nextDelayMs(
  definition: CheckDefinition,
  run: { readonly runs: number; readonly tookMs: number },
  random: () => number,
): number {
  const intervalMs = Math.max(definition.intervalMs || DEFAULT_INTERVAL_MS, MIN_INTERVAL_MS);
  const periodMs = intervalMs * (1 - random() * (run.runs === 1 ? SECOND_JITTER : JITTER));
  return periodMs - (run.tookMs % periodMs);
}
