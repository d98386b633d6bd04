import type { Compare, Revision } from './contract.ts';
import { ALWAYS_ON_DUTY } from './duty.ts';
import type { Duty } from './duty.ts';

/** What a transaction of a duty has among its compares; null while this server may not act. Asked anew for every transaction. */
export type Fence = () => Compare | null;

/** For whoever has the store for itself. */
export const UNFENCED: Fence = () => ALWAYS_ON_DUTY.fence;

/** A duty's fence for whoever acts upon what is in memory: only once that has come as far as the holder's own election (store.md 4). */
export function fenceOf(duty: Pick<Duty, 'fence'>, applied: () => Revision): Fence {
  return () => {
    const { fence } = duty;
    return fence !== null && applied() >= fence.modRevision ? fence : null;
  };
}
