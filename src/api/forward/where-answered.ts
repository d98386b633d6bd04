import { decodedPath } from '../decoded-path.ts';
import { isLocal } from '../v1/local-only.ts';

/** Who answers a request that comes to an agent without a region of its own. */
export type Answered = 'here' | 'by a server';

/** What an agent answers for itself under `/v2`, and is asked of it. */
const OWN_V2 = /^\/v2\/(?:status|listener|provisions|balancer|maintenance|openapi\.json)(?:[/?]|$)/;
/** What this agent knows as well while no server can be asked: of its own nodes. */
const HERE_WHEN_CUT_OFF = /^\/v1\/(?:agent\/members|status\/leader|status\/peers)(?:\?|$)|^\/v2\/environment\//;

/** Whether an answer of this agent's own is only for want of a server's. */
export function isStandIn(url: string): boolean {
  return HERE_WHEN_CUT_OFF.test(decodedPath(url));
}

/** Decides it by the request's URL (origin form), whatever of its path is written in escapes. Pure. */
export function whereAnswered(asked: string, isLinked: boolean): Answered {
  const url = decodedPath(asked);
  if (HERE_WHEN_CUT_OFF.test(url)) return isLinked ? 'by a server' : 'here';
  if (url.startsWith('/v1/')) return isLocal(url.slice('/v1/'.length)) ? 'here' : 'by a server';
  if (/^\/v2(?:[/?]|$)/.test(url)) return OWN_V2.test(url) ? 'here' : 'by a server';
  return url === '/' ? 'here' : 'by a server';
}
