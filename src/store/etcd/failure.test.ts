import { expect, test } from 'vitest';
import type { Txn } from '../contract.ts';
import { storeClosed } from '../errors.ts';
import { EtcdCallFailed, type EtcdFailureKind } from './client.ts';
import { errorOfCall } from './failure.ts';

const failed = (kind: EtcdFailureKind, outcome: 'none' | 'unknown', message = 'why'): EtcdCallFailed =>
  new EtcdCallFailed(kind, message, { outcome, endpoint: 'h:2379' });

test.each<[EtcdFailureKind, 'none' | 'unknown', boolean, string]>([
  ['unavailable', 'none', true, 'STORE_NO_LEADER'],
  ['unavailable', 'unknown', true, 'STORE_UNKNOWN_OUTCOME'],
  ['unavailable', 'unknown', false, 'STORE_NO_LEADER'],
  ['timeout', 'unknown', true, 'STORE_UNKNOWN_OUTCOME'],
  ['timeout', 'unknown', false, 'STORE_NO_LEADER'],
  ['timeout', 'none', true, 'STORE_NO_LEADER'],
  ['full', 'none', true, 'STORE_FULL'],
  ['denied', 'none', true, 'STORE_ETCD_DENIED'],
  ['invalid', 'none', true, 'STORE_ETCD_LIMIT'],
  ['no-lease', 'none', true, 'STORE_LEASE_LOST'],
  ['aborted', 'none', true, 'STORE_CLOSED'],
  ['other', 'unknown', true, 'STORE_UNKNOWN_OUTCOME'],
  ['other', 'none', true, 'STORE_FAILED'],
])('errorOfCall() of %s (%s, leader known: %s) is %s', (kind, outcome, leaderKnown, code) => {
  const failure = failed(kind, outcome);
  expect(errorOfCall(failure, leaderKnown)).toMatchObject({ code, cause: failure });
});

test('errorOfCall() says which setting of etcd is too small', () => {
  const compares = Array.from({ length: 512 }, (_, index) => ({ key: `k${index}`, modRevision: 0 }));
  const hint = (message: string, txn?: Txn): unknown =>
    (errorOfCall(failed('invalid', 'none', message), true, txn) as { hint?: string }).hint;
  expect(hint('etcdserver: too many operations in txn request')).toContain('--max-txn-ops=512');
  expect(hint('too many operations', { compares, writes: [] })).toContain('--max-txn-ops=1024');
  expect(hint('etcdserver: request is too large')).toContain('--max-request-bytes');
});

test('errorOfCall() leaves errors of ours as they are', () => {
  const error = storeClosed();
  expect(errorOfCall(error, true)).toBe(error);
  expect(errorOfCall(new TypeError('a fault'), true)).toMatchObject({ code: 'STORE_FAILED' });
});
