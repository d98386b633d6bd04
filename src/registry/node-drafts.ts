import { canonicalJson } from '../lib/index.ts';
import type { Compare, Revision, Txn } from '../store/index.ts';
import type { Catalog } from './catalog.ts';
import { NodeState } from './catalog-state.ts';
import { amendExternal } from './external-registration.ts';
import type { ExternalRegistration } from './external-registration.ts';
import { checkKey, instanceKey, nodeKey } from './keys.ts';
import { NodePicture } from './node-picture.ts';
import { planNode } from './plan-node.ts';
import type { CheckRecord, InstanceRecord, NodeRecord } from './records.ts';
import { TxnPlan } from './txn-plan.ts';

/** A record as a draft has it; revisions are 0 for what the draft itself writes. */
export interface Drafted<T> {
  readonly record: T;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
}

interface Draft {
  readonly state: NodeState;
  readonly picture: NodePicture;
}

/**
 * Nodes as a transaction of somebody else is to leave them, as Consul's catalog API writes them. What is read sees what was
 * written before in the same draft, and is compared when the transaction is committed.
 */
export class NodeDrafts {
  readonly #catalog: Pick<Catalog, 'nodeState' | 'region'>;
  readonly #since: Revision;
  readonly #drafts = new Map<string, Draft>();
  readonly #read = new Map<string, Revision>();

  /** `since` is the catalog's revision. */
  constructor(catalog: Pick<Catalog, 'nodeState' | 'region'>, since: Revision) {
    this.#catalog = catalog;
    this.#since = since;
  }

  node(name: string): Drafted<NodeRecord> | undefined {
    const { picture, state } = this.#of(name);
    this.#read.set(nodeKey(name), state.modRevision);
    return drafted(picture.node, state.stored);
  }

  instance(node: string, id: string): Drafted<InstanceRecord> | undefined {
    const { picture, state } = this.#of(node);
    const known = state.instance(id);
    this.#read.set(instanceKey(node, id), known?.modRevision ?? 0);
    return drafted(picture.instances.get(id), known);
  }

  check(node: string, id: string): Drafted<CheckRecord> | undefined {
    const { picture, state } = this.#of(node);
    const known = state.check(id);
    this.#read.set(checkKey(node, id), known?.modRevision ?? 0);
    return drafted(picture.checks.get(id), known);
  }

  /** @throws REGISTRY_NODE_NAME_TAKEN, REGISTRY_UNKNOWN_INSTANCE, as `Registry.registerExternal` */
  register(registration: ExternalRegistration): void {
    amendExternal(this.#of(registration.node.name).picture, registration, this.#catalog.region);
  }

  /** Takes away the node with all that is on it. */
  removeNode(name: string): void {
    this.#of(name).picture.remove();
  }

  /** Takes away an instance with its checks. */
  removeInstance(node: string, id: string): void {
    this.#of(node).picture.removeInstance(id);
  }

  removeCheck(node: string, id: string): void {
    this.#of(node).picture.checks.delete(id);
  }

  /** Everything as one transaction, however large. */
  toTxn(): Txn {
    const all = new TxnPlan();
    for (const { state, picture } of this.#drafts.values())
      for (const plan of planNode(state, picture, this.#since)) all.absorb(plan, Infinity);
    const { compares, unchanged = [], writes } = all.toTxn();
    const read = [...this.#read].map(([key, modRevision]): Compare => ({ key, modRevision }));
    const planned = new Set(compares.map(({ key }) => key));
    return { compares: [...compares, ...read.filter(({ key }) => !planned.has(key))], unchanged, writes };
  }

  #of(name: string): Draft {
    const known = this.#drafts.get(name);
    if (known !== undefined) return known;
    const state = this.#catalog.nodeState(name) ?? new NodeState(name);
    const draft: Draft = { state, picture: new NodePicture(state) };
    this.#drafts.set(name, draft);
    return draft;
  }
}

function drafted<T>(record: T | undefined, known: Drafted<T> | undefined): Drafted<T> | undefined {
  if (record === undefined) return undefined;
  if (known === undefined) return { record, createRevision: 0, modRevision: 0 };
  const isSame = known.record === record || canonicalJson(known.record) === canonicalJson(record);
  return { record, createRevision: known.createRevision, modRevision: isSame ? known.modRevision : 0 };
}
