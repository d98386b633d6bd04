import { describe } from 'vitest';
import { leaseConformance } from './conformance-lease.ts';
import { restoreConformance } from './conformance-restore.ts';
import { txnConformance } from './conformance-txn.ts';
import { watchConformance } from './conformance-watch.ts';
import type { Store } from './contract.ts';

/** A kind of store under test. */
export interface StoreUnderTest {
  readonly name: string;
  /** A fresh, empty store whose history holds `historyRevisions` (10,000 unless told). */
  start(options?: { historyRevisions?: number }): Promise<Store>;
  /** Lets so much time pass for the leases of a store that `start` gave. */
  elapse(store: Store, ms: number): Promise<void>;
  /** How many random histories the model property runs. */
  readonly runs: number;
  /** The shortest lease there can be, in ms; 150 unless told: long enough for a busy machine to renew in time, short enough to wait for. */
  readonly leaseMs?: number;
  /**
   * A store of its own process writes by itself (unless told): each transaction has a revision of its own, and watchers are told before who
   * committed. One that is shared commits together what does not meet, and its watchers are told when they are.
   */
  readonly isShared?: boolean;
}

/** Registers the tests that every engine behind the contract passes (`spec/store.md` 6.4). */
export function storeConformance(target: StoreUnderTest): void {
  describe(target.name, () => {
    txnConformance(target);
    watchConformance(target);
    leaseConformance(target);
    restoreConformance(target);
  });
}
