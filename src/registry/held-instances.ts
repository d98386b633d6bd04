import type { Catalog } from './catalog.ts';
import type { Holding } from './feed.ts';
import type { NodeRegistration, Transition } from './transition.ts';

export interface HeldInstancesOptions {
  readonly catalog: Pick<Catalog, 'holdOut' | 'nodeState'>;
  readonly feed: Holding;
}

/**
 * Instances that their agent took back while that cannot be written: they get no traffic on this server until it is, or until they are
 * registered again. Their agent says so once more itself.
 */
export class HeldInstances {
  readonly #options: HeldInstancesOptions;
  readonly #gone = new Map<string, Set<string>>();

  constructor(options: HeldInstancesOptions) {
    this.#options = options;
  }

  /** All that an agent said of its node could not be written. */
  holdAll(node: string, { instances }: NodeRegistration): void {
    const ids = new Set(instances.map(({ id }) => id));
    const known = this.#options.catalog.nodeState(node)?.instanceIds() ?? [];
    this.#show(node, new Set([...known].filter((id) => !ids.has(id))));
  }

  /** What became different on a node could not be written. */
  hold(node: string, transitions: readonly Transition[]): void {
    const gone = new Set(this.#gone.get(node));
    for (const transition of transitions) {
      if (transition.type === 'instance-gone') gone.add(transition.id);
      if (transition.type === 'instance') gone.delete(transition.instance.id);
    }
    this.#show(node, gone);
  }

  /** What became different on a node is written. */
  settle(node: string, transitions: readonly Transition[]): void {
    const gone = new Set(this.#gone.get(node));
    if (gone.size === 0) return;
    for (const transition of transitions) {
      if (transition.type === 'instance-gone') gone.delete(transition.id);
      if (transition.type === 'instance') gone.delete(transition.instance.id);
    }
    this.#show(node, gone);
  }

  /** All of a node is written as its agent says. */
  settleAll(node: string): void {
    if (this.#gone.has(node)) this.#show(node, new Set());
  }

  #show(node: string, gone: Set<string>): void {
    const { catalog, feed } = this.#options;
    if (gone.size === 0) this.#gone.delete(node);
    else this.#gone.set(node, gone);
    feed.hold((change) => catalog.holdOut(node, gone, change));
  }
}
