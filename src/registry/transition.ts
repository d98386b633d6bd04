import type { AliveRecord, CheckRecord, InstanceRecord, NodeRecord } from './records.ts';

/** All that an agent knows of one of its nodes: it is the authority for it (`store.md` 6.1). */
export interface NodeRegistration {
  readonly node: Omit<NodeRecord, 'external'>;
  readonly instances: readonly InstanceRecord[];
  readonly checks: readonly CheckRecord[];
}

/** Something that became different on a node. */
export type Transition =
  | { readonly type: 'node'; readonly node: Omit<NodeRecord, 'external'> }
  | { readonly type: 'instance'; readonly instance: InstanceRecord; readonly checks: readonly CheckRecord[] }
  | { readonly type: 'instance-gone'; readonly id: string }
  | { readonly type: 'check'; readonly check: CheckRecord }
  | { readonly type: 'check-gone'; readonly id: string }
  | { readonly type: 'alive'; readonly alive: AliveRecord };
