import type { Instance } from './catalog-reader.ts';
import type { AliveRecord, Finding } from './records.ts';

/**
 * Whether an instance is lost with its node (decision 190): of a suspected node what probes found dead, of one that is down all but
 * what answers probes, of one that left everything.
 */
export function isLost({ status, dead, answering }: AliveRecord, instanceId: string): boolean {
  switch (status) {
    case 'up':
      return false;
    case 'suspected':
      return dead !== undefined && Object.hasOwn(dead, instanceId);
    case 'down':
      return answering?.includes(instanceId) !== true;
    case 'left':
      return true;
  }
}

/** Whether an instance counts as dead whatever its checks say: lost with its node, or taken back by its agent, which the store does not know yet. */
export function isOut({ node, record, isHeldOut }: Instance): boolean {
  return isHeldOut || isLost(node.alive, record.id);
}

/**
 * Whether the node's own check is critical, and with it all that is on it: one that left, or that is down and where nothing answers
 * any more.
 */
export function isGone({ status, answering }: AliveRecord): boolean {
  return status === 'left' || (status === 'down' && (answering?.length ?? 0) === 0);
}

/** Why an instance counts as dead whatever its checks say, for people. */
export function sayOut({ node, record, isHeldOut }: Instance): string {
  return isHeldOut && !isLost(node.alive, record.id)
    ? 'its agent took it back, which cannot be written now'
    : sayLost(node.alive, record.id);
}

/** Why an instance of a node without its agent counts as dead, for people. */
export function sayLost({ evidence, dead }: AliveRecord, instanceId: string): string {
  const finding = dead !== undefined && Object.hasOwn(dead, instanceId) ? dead[instanceId] : undefined;
  const found = finding === undefined ? 'it did not answer probes' : FOUND[finding];
  return evidence === undefined ? found : `${found}; of its node: ${evidence}`;
}

const FOUND: Readonly<Record<Finding, string>> = Object.freeze({
  refused: 'nothing listens at its address',
  silent: 'its address answers neither the server nor other nodes',
  unseen: 'its address does not answer the server, and no other node could be asked',
});
