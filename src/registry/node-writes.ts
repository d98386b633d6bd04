import type { Revision } from '../store/index.ts';
import { NodeState } from './catalog-state.ts';
import { commitPlans } from './commit-plans.ts';
import type { Feed } from './feed.ts';
import { NodePicture } from './node-picture.ts';
import { planNode } from './plan-node.ts';

/** Makes a node's picture what it should be; when it throws it has changed nothing. */
export type Amendment = (picture: NodePicture) => void;

interface Pending {
  readonly amendment: Amendment;
  readonly resolve: (revision: Revision) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Writes to nodes. Those of one node follow each other; what is asked for while one is under way is written together with
 * whatever else is asked for by then, so a busy node costs one commit for many changes.
 */
export class NodeWrites {
  readonly #feed: Feed;
  readonly #state: (name: string) => NodeState | undefined;
  readonly #pending = new Map<string, Pending[]>();

  constructor(feed: Feed, state: (name: string) => NodeState | undefined) {
    this.#feed = feed;
    this.#state = state;
  }

  /** Resolves with a revision at which the amendment is so. @throws what the amendment throws */
  amend(name: string, amendment: Amendment): Promise<Revision> {
    return new Promise((resolve, reject) => {
      const pending = this.#pending.get(name);
      if (pending !== undefined) return void pending.push({ amendment, resolve, reject });
      this.#pending.set(name, [{ amendment, resolve, reject }]);
      void this.#drain(name);
    });
  }

  async #drain(name: string): Promise<void> {
    for (let batch = this.#pending.get(name); batch !== undefined && batch.length > 0;) {
      const taken = batch.splice(0);
      await this.#write(name, taken);
      batch = this.#pending.get(name);
    }
    this.#pending.delete(name);
  }

  /** Never rejects. */
  async #write(name: string, taken: readonly Pending[]): Promise<void> {
    let failed = new Map<Pending, unknown>();
    try {
      const revision = await commitPlans(this.#feed, `node "${name}"`, () => {
        const state = this.#state(name) ?? new NodeState(name);
        const picture = new NodePicture(state);
        failed = amendByAll(picture, taken);
        return planNode(state, picture, this.#feed.revision);
      });
      for (const one of taken) {
        if (failed.has(one)) one.reject(failed.get(one));
        else one.resolve(revision);
      }
    } catch (error) {
      for (const one of taken) one.reject(failed.get(one) ?? error);
    }
  }
}

/** An amendment that throws fails alone. */
function amendByAll(picture: NodePicture, taken: readonly Pending[]): Map<Pending, unknown> {
  const failed = new Map<Pending, unknown>();
  for (const one of taken) {
    try {
      one.amendment(picture);
    } catch (error) {
      failed.set(one, error);
    }
  }
  return failed;
}
