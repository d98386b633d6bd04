import type { Revision } from '../store/index.ts';
import type { ConsumerId } from './change-log.ts';
import type { ConsumerKind, Receipt } from './receipt.ts';

interface Linked {
  /** The revision of the view that was sent when the node linked. */
  readonly since: Revision;
  /** Kinds that have taken up that view or a later one, or have said why they do not. */
  readonly confirmed: Set<ConsumerKind>;
}

/**
 * Which nodes are linked to this server, and which of their consumers have said what they make of a view of this link: of
 * those, and of nobody else, it is known here which inputs they have.
 */
export class LinkedNodes {
  readonly #nodes = new Map<string, Linked>();

  /** A node greeted and is sent its view of revision `since`. */
  link(node: string, since: Revision): void {
    this.#nodes.set(node, { since, confirmed: new Set() });
  }

  unlink(node: string): void {
    this.#nodes.delete(node);
  }

  has(node: string): boolean {
    return this.#nodes.has(node);
  }

  /** A word that came over the node's link. What it remembered of an earlier link confirms nothing. */
  heard({ node, kind, revision }: Receipt): void {
    const linked = this.#nodes.get(node);
    if (linked !== undefined && revision >= linked.since) linked.confirmed.add(kind);
  }

  /** Whether the consumer has the inputs that this server thinks it has. */
  isConfirmed({ node, kind }: ConsumerId): boolean {
    return this.#nodes.get(node)?.confirmed.has(kind) === true;
  }
}
