import type { NodeView } from '../registry/index.ts';
import type { ConsumerKind, Receipt } from './receipt.ts';

/**
 * Takes up what a node view says: environment files, the balancer, the listener (design 6). A node offers each view to
 * its consumers in that order and waits for each to decide, so a provision starts only after the others have decided.
 */
export interface Consumer extends AsyncDisposable {
  readonly kind: ConsumerKind;
  /**
   * Resolves when the consumer has decided about this view: done, refused, failed, or still trying (late). Never rejects
   * and is never called again before it resolved. Receipts go out through the `receipt` option, also long after.
   */
  offer(view: NodeView): Promise<void>;
}

/** How a consumer hands out its receipts; the node's name is filled in by the node. */
export type SendReceipt = (receipt: Omit<Receipt, 'node' | 'kind'>) => void;
