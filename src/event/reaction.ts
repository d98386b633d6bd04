import { fingerprint } from '../lib/index.ts';
import type { HandlerDefinition } from './handler.ts';

/** What happened to a service that a handler may be run for. */
export const HAPPENINGS = ['down', 'missing', 'up', 'relapse', 'well'] as const;
/**
 * `down`: nothing of it is passing any more. `missing`: what was expected has not come in time. `up`: something passes, or
 * something else than before. `relapse`: down while it was kept an eye on. `well`: that time is over.
 */
export type Happening = (typeof HAPPENINGS)[number];

/** What is done when a service goes down and comes up (C12). */
export interface ReactionDefinition {
  readonly name: string;
  readonly service: string;
  /** Only instances with all of these. */
  readonly tags: readonly string[];
  /** It counts as down only after it was for so long. */
  readonly downAfterMs: number;
  /** What has to be there in time after it went down. */
  readonly expect: { readonly service: string; readonly withinMs: number } | null;
  /** How long it is kept an eye on after it came up; null for not at all. */
  readonly watchForMs: number | null;
  readonly handlers: Readonly<Partial<Record<Happening, HandlerDefinition>>>;
  readonly token: string | null;
}

/** Who a reaction is across restarts and reloads. Its handlers may change; what it is about may not. */
export function reactionIdentity({ name, service, tags, expect }: ReactionDefinition): string {
  return fingerprint({ name, service, tags, expected: expect?.service ?? null });
}

/** The question that says which instances pass. */
export function passingPath(service: string, tags: readonly string[]): string {
  const query = new URLSearchParams([['passing', '1'], ...tags.map((tag) => ['tag', tag])] as [string, string][]);
  return `/v1/health/service/${encodeURIComponent(service)}?${query.toString()}`;
}
