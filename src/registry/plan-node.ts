import { canonicalJson } from '../lib/index.ts';
import { prefixRange, type Revision } from '../store/index.ts';
import type { Check } from './catalog-reader.ts';
import type { InstanceState, NodeState } from './catalog-state.ts';
import { aliveKey, checkKey, instanceKey, nodeKey, ownKey, topic } from './keys.ts';
import type { NodePicture } from './node-picture.ts';
import type { CheckRecord, InstanceRecord, NodeRecord, OwnerRecord } from './records.ts';
import { packPlans, TxnPlan } from './txn-plan.ts';

/** So many compares and writes fit in one transaction of etcd’s, unless told otherwise, with what whoever commits compares besides. */
const LIMIT = 120;

/**
 * What to write so that the region holds `wanted` of a node, and nothing when it does already: as few transactions as the
 * store allows, deregistrations first, an instance together with its checks. Between two transactions an instance is
 * never seen without the checks it has. `since` is the revision of `state`.
 */
export function planNode(state: NodeState, wanted: NodePicture, since?: Revision): TxnPlan[] {
  const groups = wanted.node === undefined ? removeNode(state) : changeNode(state, wanted, wanted.node);
  if (since !== undefined && wanted.owner === undefined) guardRemovals(state, groups.flat(), since);
  if (wanted.owner !== undefined) guard(state, groups.flat());
  return packPlans(
    groups.flatMap((group) => packPlans(group, LIMIT)),
    LIMIT,
  );
}

function changeNode(state: NodeState, wanted: NodePicture, record: NodeRecord): TxnPlan[][] {
  const gone: TxnPlan[][] = [];
  const changes = new Map<string, TxnPlan[]>();
  const change = (serviceId: string, plan: TxnPlan): void => {
    changes.set(serviceId, [...(changes.get(serviceId) ?? []), plan]);
  };
  for (const check of wanted.checks.changes.values())
    if (check !== undefined) change(check.serviceId, putCheck(state, check));
  for (const [id, instance] of wanted.instances.changes) {
    const existing = state.instance(id);
    if (instance !== undefined) change(id, putInstance(state, instance));
    else if (existing !== undefined) gone.push(removeInstance(state, existing));
  }
  for (const [id, check] of wanted.checks.changes) {
    const existing = check === undefined ? state.check(id) : undefined;
    if (existing === undefined) continue;
    const { serviceId } = existing.record;
    const goesAlong = state.instance(serviceId) !== undefined && !wanted.instances.has(serviceId);
    if (!goesAlong) change(serviceId, removeCheck(state, existing));
  }
  return [...gone, [changeRecord(state, wanted, record)], ...changes.values()];
}

/**
 * What no agent vouches for anybody may write, through any server: what is put on a node, or on an instance of it, while that is being
 * removed is not left behind.
 */
function guardRemovals({ name }: NodeState, plans: readonly TxnPlan[], since: Revision): void {
  const [instances, checks] = [prefixRange(instanceKey(name, '')), prefixRange(checkKey(name, ''))];
  for (const plan of plans) {
    const isNodes = plan.deletes(nodeKey(name));
    if (isNodes) plan.expectUnchanged(instances, since);
    if (isNodes || plan.deletesIn(instances)) plan.expectUnchanged(checks, since);
  }
}

/** An agent of a later epoch takes the node over at once: none of these writes happens after it did. */
function guard(state: NodeState, plans: readonly TxnPlan[]): void {
  for (const plan of plans) plan.expect(ownKey(state.name), state.owner?.modRevision ?? 0);
}

function changeRecord(state: NodeState, wanted: NodePicture, record: NodeRecord): TxnPlan {
  const plan = new TxnPlan();
  const { name } = state;
  if (!same(state.stored?.record, record)) expectNode(state, plan).put(nodeKey(name), record);
  if (wanted.alive !== undefined && !same(state.storedAlive?.record, wanted.alive))
    expectNode(state, plan)
      .expect(aliveKey(name), state.storedAlive?.modRevision ?? 0)
      .put(aliveKey(name), wanted.alive);
  if (wanted.owner !== undefined && !isOwner(state, wanted.owner)) plan.put(ownKey(name), wanted.owner);
  return plan;
}

function putInstance(state: NodeState, wanted: InstanceRecord): TxnPlan {
  const existing = state.instance(wanted.id);
  const plan = new TxnPlan();
  if (same(existing?.record, wanted)) return plan;
  const key = instanceKey(state.name, wanted.id);
  expectNode(state, plan)
    .expect(key, existing?.modRevision ?? 0)
    .put(key, wanted);
  const before = existing?.record.service;
  return before === undefined || before === wanted.service ? plan : plan.tomb(topic.service(before));
}

function putCheck(state: NodeState, wanted: CheckRecord): TxnPlan {
  const existing = state.check(wanted.id);
  const plan = new TxnPlan();
  if (same(existing?.stored ?? existing?.record, wanted)) return plan;
  const key = checkKey(state.name, wanted.id);
  expectNode(state, plan)
    .expect(key, existing?.modRevision ?? 0)
    .put(key, wanted);
  const { serviceId } = wanted;
  if (serviceId !== '') plan.expect(instanceKey(state.name, serviceId), state.instance(serviceId)?.modRevision ?? 0);
  if (existing !== undefined && existing.record.serviceId !== serviceId) plan.tomb(...topicsOf(state, existing));
  return plan;
}

function removeCheck(state: NodeState, check: Check): TxnPlan {
  const key = checkKey(state.name, check.record.id);
  return new TxnPlan()
    .expect(key, check.modRevision)
    .delete(key)
    .tomb(...topicsOf(state, check));
}

/** The instance first: without its checks it would look healthy for a moment. */
function removeInstance(state: NodeState, { record, checks, modRevision }: InstanceState): TxnPlan[] {
  const key = instanceKey(state.name, record.id);
  const plan = new TxnPlan()
    .expect(key, modRevision)
    .delete(key)
    .tomb(topic.service(record.service), topic.node(state.name), topic.services, topic.checks);
  return [plan, ...[...checks.values()].map((check) => removeCheck(state, check))];
}

/** Everything of the node; its own record last, so that what is left when it is interrupted is still a node. */
function removeNode(state: NodeState): TxnPlan[][] {
  const { name, stored, storedAlive, owner } = state;
  const checks = [...state.checks.values(), ...state.orphans.values()].map((check) => removeCheck(state, check));
  const last = new TxnPlan();
  if (stored !== undefined)
    last
      .expect(nodeKey(name), stored.modRevision)
      .delete(nodeKey(name))
      .tomb(topic.nodes, topic.node(name), topic.nodeChecks(name), topic.services, topic.checks);
  if (storedAlive !== undefined) last.delete(aliveKey(name));
  if (owner !== undefined) last.expect(ownKey(name), owner.modRevision).delete(ownKey(name));
  const instances = [...state.unordered()].map((instance) => removeInstance(state, instance));
  return [...instances, checks, [last]];
}

function isOwner({ owner }: NodeState, { epoch, server, agent }: OwnerRecord): boolean {
  return owner?.epoch === epoch && owner.server === server && owner.agent === agent;
}

function expectNode(state: NodeState, plan: TxnPlan): TxnPlan {
  return plan.expect(nodeKey(state.name), state.modRevision);
}

/** Topics of which a check's deletion must leave a tombstone. */
function topicsOf(state: NodeState, { record }: Check): string[] {
  const both = [topic.checks, topic.node(state.name)];
  if (record.serviceId === '') return [...both, topic.nodeChecks(state.name)];
  const service = state.instance(record.serviceId)?.record.service;
  return service === undefined ? both : [...both, topic.service(service)];
}

function same(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}
