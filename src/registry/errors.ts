import { defineError } from '../lib/index.ts';

export const unknownNode = defineError('REGISTRY_UNKNOWN_NODE', 404, (node: string) => `unknown node "${node}"`, {
  hint: 'register the node first; `drover node:list` shows those that are known',
});
export const unknownInstance = defineError(
  'REGISTRY_UNKNOWN_INSTANCE',
  404,
  (node: string, id: string) => `node "${node}" has no service with id "${id}"`,
  { hint: 'register the service before its checks' },
);
export const badRegistration = defineError(
  'REGISTRY_BAD_REGISTRATION',
  400,
  (node: string, why: string) => `cannot register node "${node}": ${why}`,
);
export const nodeNameTaken = defineError(
  'REGISTRY_NODE_NAME_TAKEN',
  409,
  (node: string, id: string, address: string) =>
    `Node name ${node} is reserved by node ${id} with name ${node} (${address})`,
  { hint: 'give one of the two nodes another name, or deregister the one that is gone' },
);
export const nodeNameHeld = defineError(
  'REGISTRY_NODE_NAME_HELD',
  409,
  (node: string, address: string, id: string, newcomer: string) =>
    `node name "${node}" is held by the agent at ${address} (id ${id}), which is up; the one at ${newcomer} has it when that one is down or has left`,
  { hint: 'give one of the two nodes another name' },
);
export const oldEpoch = defineError(
  'REGISTRY_OLD_EPOCH',
  409,
  (node: string, epoch: number, current: number) =>
    `an agent of epoch ${epoch} speaks for node "${node}", whose agent is at epoch ${current}`,
  { hint: 'another agent was started for this node later: stop one of them' },
);
export const contended = defineError(
  'REGISTRY_CONTENDED',
  503,
  (what: string, attempts: number) => `${what} was changed by others ${attempts} times while it was written`,
  { hint: 'nothing was written; try again' },
);
export const changedSince = defineError(
  'REGISTRY_CHANGED_SINCE',
  409,
  (what: string, expected: number, current: number) =>
    `${what} ${current === 0 ? 'is gone' : `is at r${current}`}, expected ${expected === 0 ? 'that it is not there' : `r${expected}`}`,
  { hint: 'nothing was written; look at what changed, and try again over that' },
);
export const notApplied = defineError(
  'REGISTRY_NOT_APPLIED',
  500,
  (revision: number, waitedMs: number) => `this server has not applied revision ${revision} within ${waitedMs} ms`,
  { hint: 'the write stands; this server has lost touch with the store, see its log' },
);
export const storeWentBack = defineError(
  'REGISTRY_STORE_WENT_BACK',
  500,
  (found: number, known: number) =>
    `the store is at revision ${found}, and this server had read revision ${known} of it: it was put back, or is another one`,
  { hint: 'what it holds now is served; where that was not meant, restore a snapshot with drover snapshot:restore' },
);
export const cacheDiverged = defineError(
  'REGISTRY_CACHE_DIVERGED',
  500,
  (keys: number, first: string) =>
    `${keys} keys in memory were not as the store has them, ${first} the first: they are read again`,
  { hint: 'etcd lost events of a watch: use a version in which that is mended (3.4.45, 3.5.33, 3.6.14 or later)' },
);
export const feedClosed = defineError('REGISTRY_FEED_CLOSED', 500, () => 'the registry is closed');
/** Consul answers all of these with 500, and with these texts. */
export const badPrepared = defineError('REGISTRY_BAD_PREPARED_QUERY', 500, (text: string) => text);
