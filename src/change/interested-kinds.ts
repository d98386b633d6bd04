import { listenerWants, NO_FINGERPRINTS } from '../registry/index.ts';
import type { NodeRecord, NodeView } from '../registry/index.ts';

/** The consumers that a node's own agent runs. */
export type NodeConsumerKind = NodeRecord['consumers'][number];

/**
 * Which of a node's consumers have other inputs in `next` than in `previous` (semantics 6). What a node never had is
 * compared with having nothing, so a consumer without work is not waited for. Pure.
 */
export function interestedKinds(
  previous: NodeView | null,
  next: NodeView,
  kinds: readonly NodeConsumerKind[],
): readonly NodeConsumerKind[] {
  return kinds.filter((kind) => isInterested(kind, previous, next));
}

function isInterested(kind: NodeConsumerKind, previous: NodeView | null, next: NodeView): boolean {
  if (kind === 'listener') return listenerWants(previous?.listener ?? null, next.listener).wanted;
  return (previous?.fingerprints ?? NO_FINGERPRINTS)[kind] !== next.fingerprints[kind];
}
