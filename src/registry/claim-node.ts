import type { DroverError } from '../lib/index.ts';
import { nodeNameHeld, oldEpoch } from './errors.ts';
import type { AliveRecord, NodeRecord, OwnerRecord } from './records.ts';

/** Who greets for a node: a start of an agent, through a server. */
export interface NodeClaim extends OwnerRecord {
  readonly node: Pick<NodeRecord, 'name' | 'id' | 'address'>;
}

/** A node as the region knows it. */
export interface KnownNode {
  readonly node: NodeRecord | undefined;
  readonly alive: AliveRecord | undefined;
  readonly owner: OwnerRecord | undefined;
}

/**
 * Why an agent may not speak for a node; null when it may. The same agent, known by its data directory, takes its node over with
 * every start and every link; another one only gets a name that nobody holds: its agent is down or has left, or both say to be the
 * same node and the first one is not linked. Pure.
 */
export function refusalOfClaim({ node, alive, owner }: KnownNode, claim: NodeClaim): DroverError | null {
  if (owner === undefined || node === undefined) return null;
  const { name } = claim.node;
  // Whoever does not say which agent it is has no claim on a name that one holds who did.
  const isSameAgent = owner.agent === undefined || owner.agent === claim.agent;
  if (!isSameAgent && !isFree({ node, alive, owner }, claim))
    return nodeNameHeld(name, node.address, node.id, claim.node.address);
  return claim.epoch < owner.epoch ? oldEpoch(name, claim.epoch, owner.epoch) : null;
}

function isFree({ node, alive, owner }: Required<KnownNode>, claim: NodeClaim): boolean {
  const status = alive?.status ?? 'up';
  if (status === 'down' || status === 'left') return true;
  // A link that is there to this very server would have refused the claim before it came here.
  const isUnlinked = status === 'suspected' || owner?.server === claim.server;
  return node?.id === claim.node.id && isUnlinked;
}
