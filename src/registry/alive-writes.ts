import { canonicalJson } from '../lib/index.ts';
import type { Compare, Revision } from '../store/index.ts';
import type { Catalog } from './catalog.ts';
import type { NodeState } from './catalog-state.ts';
import type { Feed } from './feed.ts';
import { aliveKey, nodeKey, ownKey } from './keys.ts';
import { NodePicture } from './node-picture.ts';
import { planNode } from './plan-node.ts';
import type { AliveRecord } from './records.ts';
import { TxnPlan } from './txn-plan.ts';

/**
 * What a server that does not hear a node says of it. All of it holds only for the node as the catalog has it in the turn of the
 * call: one that linked anywhere meanwhile (`own/`), or of which another said something (`alive/`), is left as it is.
 */
export class AliveWrites {
  readonly #feed: Feed;
  readonly #catalog: Pick<Catalog, 'nodeState'>;

  constructor(feed: Feed, catalog: Pick<Catalog, 'nodeState'>) {
    this.#feed = feed;
    this.#catalog = catalog;
  }

  /** Writes a node's liveness; `fence` is the duty's under which it is said. null: the node has changed meanwhile. */
  async say(node: string, alive: AliveRecord, fence?: Compare): Promise<Revision | null> {
    const state = this.#catalog.nodeState(node);
    if (state?.isRegistered !== true) return null;
    if (canonicalJson(state.storedAlive?.record) === canonicalJson(alive)) return this.#feed.revision;
    return this.#commit([expectAsIs(new TxnPlan(), state, fence).put(aliveKey(node), alive)]);
  }

  /** Removes a node with all that is on it. null: it has changed meanwhile; what is gone by then is gone. */
  async reap(node: string, fence?: Compare): Promise<Revision | null> {
    const state = this.#catalog.nodeState(node);
    if (state?.isRegistered !== true) return null;
    const picture = new NodePicture(state);
    picture.remove();
    return this.#commit(planNode(state, picture).map((plan) => expectAsIs(plan, state, fence)));
  }

  async #commit(plans: readonly TxnPlan[]): Promise<Revision | null> {
    const written = new Map<string, Revision>();
    let { revision } = this.#feed;
    for (const plan of plans) {
      const outcome = await this.#feed.commit(plan.toTxn(written));
      if (!outcome.ok) return null;
      ({ revision } = outcome);
      plan.note(written, revision);
    }
    return revision;
  }
}

function expectAsIs(plan: TxnPlan, { name, modRevision, storedAlive, owner }: NodeState, fence?: Compare): TxnPlan {
  plan.expect(nodeKey(name), modRevision);
  plan.expect(aliveKey(name), storedAlive?.modRevision ?? 0);
  plan.expect(ownKey(name), owner?.modRevision ?? 0);
  return fence === undefined ? plan : plan.expect(fence.key, fence.modRevision);
}
