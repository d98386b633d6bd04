import { DroverError } from '../../lib/index.ts';
import {
  etcdDenied,
  etcdLimit,
  leaseLost,
  outcomeUnknown,
  storeClosed,
  storeFailed,
  storeFull,
  storeNoLeader,
} from '../errors.ts';
import type { Txn } from '../contract.ts';
import { EtcdCallFailed } from './client.ts';

/** What a failed call of etcd's means to who called the store. `leaderKnown`: whether the store believes that etcd takes writes. */
export function errorOfCall(failure: unknown, leaderKnown: boolean, txn?: Txn): Error {
  if (failure instanceof DroverError) return failure;
  if (!(failure instanceof EtcdCallFailed)) return storeFailed.with({ cause: failure }, String(failure));
  const { kind, message, outcome } = failure;
  const details = { cause: failure };
  switch (kind) {
    case 'full':
      return storeFull.with({
        ...details,
        hint: 'etcd has used up its quota: compact, defragment, then etcdctl alarm disarm; or raise --quota-backend-bytes; reads go on',
      });
    case 'denied':
      return etcdDenied.with(details, message, 'drover');
    case 'invalid':
      return etcdLimit.with({ ...details, hint: hintOf(message, txn) }, message);
    case 'no-lease':
      return leaseLost.with(details, 'that was named');
    case 'aborted':
      return storeClosed.with(details);
    case 'unavailable':
    case 'timeout':
      return outcome === 'unknown' && leaderKnown
        ? outcomeUnknown.with(details, message)
        : storeNoLeader.with(details, message);
    case 'compacted':
    case 'other':
      return outcome === 'unknown' ? outcomeUnknown.with(details, message) : storeFailed.with(details, message);
  }
}

function hintOf(message: string, txn: Txn | undefined): string {
  // The compare of the pointer is one more.
  const ops = (txn?.compares.length ?? 0) + (txn?.unchanged?.length ?? 0) < 512 ? 512 : 1_024;
  if (/too many operations/i.test(message))
    return `start every member of etcd with --max-txn-ops=${ops}: transactions of KV hold up to 512 operations`;
  if (/too large/i.test(message))
    return 'start every member of etcd with a larger --max-request-bytes (1572864 unless told)';
  return 'nothing was written';
}
