import { formatGoDuration, messageOf, parseDuration } from '../lib/index.ts';
import { badBehavior, badSessionTtl, sessionTtlOutOfRange } from './errors.ts';
import { SERF_HEALTH } from './session-health.ts';
import type { SessionBehavior, SessionRecord, SessionServiceCheck } from './session-record.ts';

/** What somebody wants a session to be; what is left out is as Consul has it. */
export interface SessionInput {
  readonly node: string;
  readonly name?: string;
  /** 15 s unless told; at most a minute counts. */
  readonly lockDelayMs?: number;
  readonly behavior?: string;
  readonly ttl?: string;
  readonly nodeChecks?: readonly string[];
  readonly serviceChecks?: readonly SessionServiceCheck[];
  /** The old name of `nodeChecks`; an empty list: none at all. */
  readonly checks?: readonly string[];
}

const LOCK_DELAY_MS = 15_000;
const MAX_LOCK_DELAY_MS = 60_000;
const MAX_TTL_MS = 86_400_000;
const NS_PER_MS = 1e6;

/** @throws KV_BAD_BEHAVIOR, KV_BAD_SESSION_TTL, KV_SESSION_TTL_OUT_OF_RANGE */
export function sessionRecordOf(id: string, input: SessionInput, ttlMinMs: number): SessionRecord {
  const { node, name = '', lockDelayMs = LOCK_DELAY_MS, ttl = '', serviceChecks, checks } = input;
  const behavior = behaviorOf(input.behavior ?? '');
  checkTtl(ttl, ttlMinMs);
  return {
    id,
    name,
    node,
    lockDelayMs: Math.min(Math.max(lockDelayMs, 0), MAX_LOCK_DELAY_MS),
    behavior,
    ttl,
    nodeChecks: nodeChecksOf(input),
    serviceChecks: serviceChecks ?? null,
    ...(checks === undefined ? {} : { checks }),
  };
}

function behaviorOf(behavior: string): SessionBehavior {
  if (behavior === '') return 'release';
  if (behavior === 'release' || behavior === 'delete') return behavior;
  throw badBehavior(behavior);
}

function checkTtl(ttl: string, leastMs: number): void {
  if (ttl === '') return;
  let ttlMs: number;
  try {
    ttlMs = parseDuration(ttl);
  } catch (error) {
    throw badSessionTtl.with({ cause: error }, ttl, messageOf(error));
  }
  if (ttlMs === 0 || (ttlMs >= leastMs && ttlMs <= MAX_TTL_MS)) return;
  throw sessionTtlOutOfRange(Math.round(ttlMs * NS_PER_MS), formatGoDuration(leastMs), formatGoDuration(MAX_TTL_MS));
}

function nodeChecksOf({ checks, nodeChecks = [] }: SessionInput): readonly string[] {
  if (checks?.length === 0) return [];
  const all = [...new Set([...(checks ?? []), ...nodeChecks])];
  return all.length === 0 ? [SERF_HEALTH] : all;
}
