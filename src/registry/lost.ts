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

/**
 * Whether the node's own check is critical, and with it all that is on it: one that left, or that is down and where nothing answers
 * any more.
 */
export function isGone({ status, answering }: AliveRecord): boolean {
  return status === 'left' || (status === 'down' && (answering?.length ?? 0) === 0);
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
