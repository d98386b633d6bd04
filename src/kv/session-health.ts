import type { Catalog, CheckStatus } from '../registry/index.ts';
import type { SessionRecord } from './session-record.ts';
import { checksOfSession } from './session-record.ts';

/** Consul's check of a node's liveness, which is drover's `alive/<node>`. */
export const SERF_HEALTH = 'serfHealth';

/** What a session's health is read from. */
export type SessionCatalog = Pick<Catalog, 'node' | 'nodeState'>;

/** Why a session cannot be, or cannot go on. */
export type Invalid =
  | { readonly reason: 'no node' }
  | { readonly reason: 'no check'; readonly check: string }
  | { readonly reason: 'critical'; readonly check: string };

/** What is wrong with the node and the checks that a session hangs on; undefined when nothing is. */
export function whyInvalid(session: SessionRecord, catalog: SessionCatalog): Invalid | undefined {
  if (catalog.node(session.node) === undefined) return { reason: 'no node' };
  for (const check of checksOfSession(session)) {
    const status = statusOf(catalog, session.node, check);
    if (status === undefined) return { reason: 'no check', check };
    // A check without a result yet counts as critical, as Consul's begin.
    if (status === 'critical' || status === 'unknown') return { reason: 'critical', check };
  }
  return undefined;
}

function statusOf(catalog: SessionCatalog, node: string, id: string): CheckStatus | undefined {
  const { record, alive } = catalog.node(node) ?? {};
  // Liveness goes before a check of that id: any service may register one, and would end every session of its node.
  if (id === SERF_HEALTH && record?.external === false && alive !== undefined)
    return alive.status === 'down' || alive.status === 'left' ? 'critical' : 'passing';
  return catalog.nodeState(node)?.check(id)?.record.status;
}
