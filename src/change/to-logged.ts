import type { AppliedChange } from '../registry/index.ts';
import { consumerKey, type ConsumerId, type LoggedChange } from './change-log.ts';

/** Shared by all changes that nobody takes up, which are most: three maps for each are what remembering it would cost. */
const NOBODY: ReadonlyMap<string, never> = Object.freeze(new Map<string, never>());
const NO_KEYS: ReadonlySet<string> = Object.freeze(new Set<string>());

/** A revision as it is remembered when it was applied, at `atMs` of the wall clock; `unsure` are of the consumers. Pure. */
export function toLogged(
  { revision, appliedAtMs, summary, author }: AppliedChange,
  consumers: readonly ConsumerId[],
  unsure: readonly ConsumerId[],
  atMs: number,
): LoggedChange {
  const isForNobody = consumers.length === 0;
  const interested = isForNobody
    ? NOBODY
    : new Map(consumers.map(({ node, kind }) => [consumerKey({ node, kind }), { node, kind }]));
  return {
    revision,
    atMs,
    appliedAtMs,
    summary,
    ...(author === undefined ? {} : { author }),
    interested,
    missing: isForNobody ? (NOBODY as Map<string, never>) : new Map(interested),
    unsure: unsure.length === 0 ? NO_KEYS : new Set(unsure.map(consumerKey)),
    arrivals: isForNobody ? (NOBODY as Map<string, never>) : new Map(),
  };
}
