import { canonicalJson } from '../lib/index.ts';
import type { Check } from './catalog-reader.ts';
import { NodeState } from './catalog-state.ts';
import type { InstanceState } from './catalog-state.ts';
import { aliveKey, checkKey, instanceKey, nodeKey, ownKey, topic } from './keys.ts';
import type { NodePicture } from './node-picture.ts';
import type { CheckRecord, InstanceRecord } from './records.ts';
import { packPlans, TxnPlan } from './txn-plan.ts';

/** So many compares and so many writes fit in one transaction of the store. */
const LIMIT = 128;

/**
 * What to write so that the region holds `wanted` of a node, and nothing when it does already: as few transactions as the
 * store allows, deregistrations first, an instance together with its checks. Between two transactions an instance is
 * never seen without the checks it has.
 */
export function planNode(name: string, current: NodeState | undefined, wanted: NodePicture | undefined): TxnPlan[] {
  const state = current ?? new NodeState(name);
  const groups = wanted === undefined ? removeNode(state) : changeNode(state, wanted);
  return packPlans(
    groups.flatMap((group) => packPlans(group, LIMIT)),
    LIMIT,
  );
}

function changeNode(state: NodeState, wanted: NodePicture): TxnPlan[][] {
  const instances = state.instances.values();
  const checks = checksById(state);
  const gone = instances.filter((one) => !wanted.instances.has(one.record.id)).map((one) => removeInstance(state, one));
  const groups = [...gone, [changeRecord(state, wanted)]];
  const wantedChecks = Map.groupBy(wanted.checks.values(), (check) => check.serviceId);
  for (const instance of wanted.instances.values())
    groups.push([
      ...changeInstance(state, checks, instance, wantedChecks.get(instance.id) ?? []),
      ...removeChecks(state, state.instances.get(instance.id)?.checks, wanted),
    ]);
  groups.push((wantedChecks.get('') ?? []).map((check) => putCheck(state, checks, check)));
  groups.push(removeChecks(state, state.checks, wanted), removeChecks(state, state.orphans, wanted));
  if (wanted.epoch !== undefined) guard(state, groups.flat());
  return groups;
}

/** An agent of a later epoch takes the node over at once: none of these writes happens after it did. */
function guard(state: NodeState, plans: readonly TxnPlan[]): void {
  for (const plan of plans) plan.expect(ownKey(state.name), state.owner?.modRevision ?? 0);
}

function changeRecord(state: NodeState, wanted: NodePicture): TxnPlan {
  const plan = new TxnPlan();
  const { name } = state;
  if (!same(state.stored?.record, wanted.node)) expectNode(state, plan).put(nodeKey(name), wanted.node);
  if (wanted.alive !== undefined && !same(state.storedAlive?.record, wanted.alive))
    expectNode(state, plan)
      .expect(aliveKey(name), state.storedAlive?.modRevision ?? 0)
      .put(aliveKey(name), wanted.alive);
  if (wanted.epoch !== undefined && wanted.epoch !== state.owner?.epoch)
    plan.put(ownKey(name), { epoch: wanted.epoch });
  return plan;
}

function changeInstance(
  state: NodeState,
  checks: ReadonlyMap<string, Check>,
  wanted: InstanceRecord,
  wantedChecks: readonly CheckRecord[],
): TxnPlan[] {
  const existing = state.instances.get(wanted.id);
  const plan = new TxnPlan();
  if (!same(existing?.record, wanted)) {
    const key = instanceKey(state.name, wanted.id);
    expectNode(state, plan)
      .expect(key, existing?.modRevision ?? 0)
      .put(key, wanted);
    if (existing !== undefined && existing.record.service !== wanted.service)
      plan.tomb(topic.service(existing.record.service));
  }
  return [...wantedChecks.map((check) => putCheck(state, checks, check)), plan];
}

function putCheck(state: NodeState, checks: ReadonlyMap<string, Check>, wanted: CheckRecord): TxnPlan {
  const existing = checks.get(wanted.id);
  const plan = new TxnPlan();
  if (same(existing?.record, wanted)) return plan;
  const key = checkKey(state.name, wanted.id);
  expectNode(state, plan)
    .expect(key, existing?.modRevision ?? 0)
    .put(key, wanted);
  const { serviceId } = wanted;
  if (serviceId !== '')
    plan.expect(instanceKey(state.name, serviceId), state.instances.get(serviceId)?.modRevision ?? 0);
  if (existing !== undefined && existing.record.serviceId !== serviceId) plan.tomb(...topicsOf(state, existing));
  return plan;
}

/** A check that is wanted elsewhere has moved: it is put there, not deleted here. */
function removeChecks(state: NodeState, checks: NodeState['checks'] | undefined, wanted: NodePicture): TxnPlan[] {
  const gone = [...(checks?.values() ?? [])].filter((check) => !wanted.checks.has(check.record.id));
  return gone.map((check) => removeCheck(state, check));
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
  return [...state.instances.values().map((instance) => removeInstance(state, instance)), checks, [last]];
}

function expectNode(state: NodeState, plan: TxnPlan): TxnPlan {
  return plan.expect(nodeKey(state.name), state.modRevision);
}

/** Topics of which a check's deletion must leave a tombstone. */
function topicsOf(state: NodeState, { record }: Check): string[] {
  const both = [topic.checks, topic.node(state.name)];
  if (record.serviceId === '') return [...both, topic.nodeChecks(state.name)];
  const service = state.instances.get(record.serviceId)?.record.service;
  return service === undefined ? both : [...both, topic.service(service)];
}

function checksById(state: NodeState): ReadonlyMap<string, Check> {
  const maps = [state.checks, state.orphans, ...state.instances.values().map((instance) => instance.checks)];
  return new Map(maps.flatMap((map) => [...map]));
}

function same(a: unknown, b: unknown): boolean {
  return a === b || canonicalJson(a) === canonicalJson(b);
}
