import type { Catalog } from './catalog.ts';
import type { Holding } from './feed.ts';
import type { CheckRecord } from './records.ts';
import type { NodeRegistration, Transition } from './transition.ts';

export interface HeldInstancesOptions {
  readonly catalog: Pick<Catalog, 'holdOut' | 'nodeState'>;
  readonly feed: Holding;
}

/** Why instances of a node are out. */
interface Out {
  /** Ids of instances that were taken back. */
  readonly gone: Set<string>;
  /** Checks that fail and that the region does not know, with the instance that each is of; '' for the node's own. */
  readonly failing: Map<string, string>;
}

/**
 * Instances that are to get no traffic by a word of their agent that cannot be written: taken back, or failing by a check that is new, so
 * that no check of the region's can be shown as failing. They are out on this server until their agent says otherwise, or until it is
 * written; it says all of it once more itself.
 */
export class HeldInstances {
  readonly #options: HeldInstancesOptions;
  readonly #out = new Map<string, Out>();

  constructor(options: HeldInstancesOptions) {
    this.#options = options;
  }

  /** All that an agent said of its node could not be written. */
  holdAll(node: string, { instances, checks }: NodeRegistration): void {
    const ids = new Set(instances.map(({ id }) => id));
    const out: Out = { gone: new Set(this.#idsOf(node).filter((id) => !ids.has(id))), failing: new Map() };
    for (const check of checks) this.#holdCheck(node, out, check);
    this.#show(node, out);
  }

  /** What became different on a node could not be written. */
  hold(node: string, transitions: readonly Transition[]): void {
    const out = this.#outOf(node);
    for (const transition of transitions) {
      takeBack(out, transition);
      if (transition.type === 'instance-gone') out.gone.add(transition.id);
      if (transition.type === 'check') this.#holdCheck(node, out, transition.check);
      if (transition.type === 'instance') for (const check of transition.checks) this.#holdCheck(node, out, check);
    }
    this.#show(node, out);
  }

  /** What became different on a node is written. */
  settle(node: string, transitions: readonly Transition[]): void {
    if (!this.#out.has(node)) return;
    const out = this.#outOf(node);
    for (const transition of transitions) takeBack(out, transition);
    this.#show(node, out);
  }

  /** All of a node is written as its agent says. */
  settleAll(node: string): void {
    if (this.#out.has(node)) this.#show(node, { gone: new Set(), failing: new Map() });
  }

  /** One that the region knows is held as a check. */
  #holdCheck(node: string, { failing }: Out, { id, serviceId, status }: CheckRecord): void {
    const isKnown = this.#options.catalog.nodeState(node)?.check(id) !== undefined;
    if (!isKnown && status === 'critical') failing.set(id, serviceId);
  }

  #outOf(node: string): Out {
    return this.#out.get(node) ?? { gone: new Set(), failing: new Map() };
  }

  #idsOf(node: string): string[] {
    return [...(this.#options.catalog.nodeState(node)?.instanceIds() ?? [])];
  }

  #show(node: string, out: Out): void {
    const { catalog, feed } = this.#options;
    const { gone, failing } = out;
    if (gone.size + failing.size === 0) this.#out.delete(node);
    else this.#out.set(node, out);
    const services = new Set(failing.values());
    const shown = new Set([...gone, ...(services.has('') ? this.#idsOf(node) : services)]);
    feed.hold((change) => catalog.holdOut(node, shown, change));
  }
}

/** What an agent says of something ends what was held of it before. */
function takeBack({ gone, failing }: Out, transition: Transition): void {
  switch (transition.type) {
    case 'check':
      return void failing.delete(transition.check.id);
    case 'check-gone':
      return void failing.delete(transition.id);
    case 'instance':
      gone.delete(transition.instance.id);
      return forget(failing, transition.instance.id);
    case 'instance-gone':
      gone.delete(transition.id);
      return forget(failing, transition.id);
  }
}

/** All checks of an instance. */
function forget(failing: Map<string, string>, instance: string): void {
  for (const [id, serviceId] of failing) if (serviceId === instance) failing.delete(id);
}
