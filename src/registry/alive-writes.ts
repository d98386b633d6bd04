import { canonicalJson } from '../lib/index.ts';
import type { Compare, Revision } from '../store/index.ts';
import type { Catalog } from './catalog.ts';
import type { NodeState } from './catalog-state.ts';
import type { Feed, Holding } from './feed.ts';
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
  readonly #feed: Feed & Holding;
  readonly #catalog: Pick<Catalog, 'nodeState' | 'holdAlive'>;
  readonly #takesWrites: () => boolean;
  readonly #held = new Set<string>();

  /** `takesWrites`: whether the store takes writes, as far as is known; always unless told. */
  constructor(feed: Feed & Holding, catalog: Pick<Catalog, 'nodeState' | 'holdAlive'>, takesWrites = () => true) {
    this.#feed = feed;
    this.#catalog = catalog;
    this.#takesWrites = takesWrites;
  }

  get takesWrites(): boolean {
    return this.#takesWrites();
  }

  /**
   * Shows a node's liveness on this server alone, until it is written, the node's key changes, or another server speaks for the node.
   * That it is up again needs no more than what is stored, where that says so.
   */
  hold(node: string, alive: AliveRecord): void {
    const stored = this.#catalog.nodeState(node)?.storedAlive?.record;
    const shown = stored?.status === 'up' && alive.status === 'up' ? stored : alive;
    this.#feed.hold((change) => this.#catalog.holdAlive(node, shown, change));
    if (this.isHeld(node)) this.#held.add(node);
  }

  isHeld(node: string): boolean {
    return this.#catalog.nodeState(node)?.heldAlive !== undefined;
  }

  /** What is shown here and not written. */
  owed(): [string, AliveRecord][] {
    return [...this.#held].flatMap((name): [string, AliveRecord][] => {
      const alive = this.#catalog.nodeState(name)?.heldAlive;
      if (alive === undefined) this.#held.delete(name);
      return alive === undefined ? [] : [[name, alive]];
    });
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
