import type { NodeState } from './catalog-state.ts';
import { oldEpoch } from './errors.ts';
import { Overlay } from './overlay.ts';
import { refusalOfClaim, type NodeClaim } from './claim-node.ts';
import type { AliveRecord, CheckRecord, InstanceRecord, NodeRecord, OwnerRecord } from './records.ts';

/** A node as it should be in the region: the node as it is, and what is to become different. */
export class NodePicture {
  readonly name: string;
  /** Undefined: there is no such node. */
  node: NodeRecord | undefined;
  alive: AliveRecord | undefined;
  /** Who speaks for it. */
  owner: OwnerRecord | undefined;
  readonly instances: Overlay<InstanceRecord>;
  readonly checks: Overlay<CheckRecord>;
  readonly #state: NodeState;

  constructor(state: NodeState) {
    this.name = state.name;
    this.node = state.stored?.record;
    this.alive = state.storedAlive?.record;
    this.owner = ownerOf(state);
    this.instances = new Overlay((id) => state.instance(id)?.record);
    this.checks = new Overlay((id) => state.check(id)?.record);
    this.#state = state;
  }

  /** @throws REGISTRY_OLD_EPOCH when an agent of a later epoch speaks for the node */
  checkEpoch(epoch: number | undefined): void {
    const known = this.owner?.epoch;
    if (epoch !== undefined && known !== undefined && epoch < known) throw oldEpoch(this.name, epoch, known);
  }

  /** Lets an agent speak for the node from now on. @throws REGISTRY_OLD_EPOCH, REGISTRY_NODE_NAME_HELD */
  claim({ node, ...owner }: NodeClaim): void {
    const refusal = refusalOfClaim(this, { node, ...owner });
    if (refusal !== null) throw refusal;
    this.owner = owner;
  }

  /** Takes away an instance with its checks. */
  removeInstance(id: string): void {
    if (!this.instances.has(id)) return;
    this.instances.delete(id);
    this.removeChecks(id, new Set());
  }

  /** Takes away the checks of a service, but those of these ids. */
  removeChecks(serviceId: string, kept: ReadonlySet<string>): void {
    const known = this.#state.instance(serviceId)?.checks.keys() ?? [];
    for (const id of [...known, ...this.checks.changes.keys()])
      if (!kept.has(id) && this.checks.get(id)?.serviceId === serviceId) this.checks.delete(id);
  }

  /** Takes away all instances and checks but those of these ids. */
  keepOnly(instances: ReadonlySet<string>, checks: ReadonlySet<string>): void {
    for (const id of [...this.#state.instanceIds(), ...this.instances.changes.keys()])
      if (!instances.has(id)) this.instances.delete(id);
    for (const id of [...this.#state.checkIds(), ...this.checks.changes.keys()])
      if (!checks.has(id)) this.checks.delete(id);
  }

  /** Takes away the node with all that is on it. */
  remove(): void {
    this.node = undefined;
    this.alive = undefined;
    this.owner = undefined;
    this.keepOnly(new Set(), new Set());
  }
}

function ownerOf({ owner }: NodeState): OwnerRecord | undefined {
  if (owner === undefined) return undefined;
  const { modRevision: _modRevision, ...record } = owner;
  return record;
}
