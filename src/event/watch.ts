import { fingerprint } from '../lib/index.ts';
import type { HandlerDefinition } from './handler.ts';

/** What can be watched, as Consul names it. */
export const WATCH_TYPES = ['key', 'keyprefix', 'services', 'nodes', 'service', 'checks', 'event'] as const;
export type WatchType = (typeof WATCH_TYPES)[number];

/** What a watch looks at: one question to the HTTP API. */
export interface WatchQuery {
  readonly type: WatchType;
  /** Such as `/v1/health/service/web?passing=1`; without index and wait. */
  readonly path: string;
  /** For people: `service web`. */
  readonly title: string;
}

/** A watch of the configuration: what it looks at, and what runs when that is another than before. */
export interface WatchDefinition {
  readonly query: WatchQuery;
  readonly handler: HandlerDefinition;
  /** Null: the agent's default one. */
  readonly token: string | null;
}

/** Who a watch is across restarts and reloads: what it looks at and what it runs, not with whose token or for how long. */
export function watchIdentity({ query, handler }: WatchDefinition): string {
  const { timeoutMs: _timeoutMs, ...runs } = handler;
  return fingerprint({ type: query.type, path: query.path, runs });
}
