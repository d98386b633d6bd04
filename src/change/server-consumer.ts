import type { AppliedChange } from '../registry/index.ts';
import type { ConsumerKind } from './receipt.ts';

/**
 * A part of the server that takes changes up in process, such as its DNS. `take` is called in the event-loop turn of each
 * change that makes DNS answer otherwise, before anyone hears of the commit. `applied` = it is done; null = it will send
 * a receipt of its own.
 */
export interface ServerConsumer {
  /** The server's node name. */
  readonly node: string;
  readonly kind: ConsumerKind;
  take(change: AppliedChange): 'applied' | null;
}
