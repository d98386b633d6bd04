import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { prefixRange, type Txn } from '../contract.ts';
import { Era } from './era.ts';
import {
  ResponseHeaderSchema,
  TxnRequestSchema,
  TxnResponseSchema,
  type TxnRequest,
  type TxnResponse,
} from './generated/rpc_pb.ts';
import { bytesOf, keyOf, META_KEY } from './keys.ts';
import { CHANGED, outcomesOf, requestOf, type PreparedTxn } from './translate.ts';

const origins = new Map([['a', { createRevision: 1_101, modRevision: 1_105 }]]);
const era = new Era({ layout: 1, generation: 2, revision: 1_200, flip: 50 }, origins);
const request = (...txns: PreparedTxn[]): TxnRequest => create(TxnRequestSchema, requestOf(txns, era));
const SIGNS = ['==', '>', '<', '!='];

/** Compares as text, keys without their prefix. */
function comparesIn({ compare }: Pick<TxnRequest, 'compare'>): string[] {
  return compare.map(({ key, result, targetUnion, rangeEnd }) => {
    const name = keyOf(key).replace('/drover/1.2/', '');
    const end = rangeEnd.length === 0 ? '' : `..${keyOf(rangeEnd).replace('/drover/1.2/', '')}`;
    return `${name}${end} ${SIGNS[result]} ${String(targetUnion.value)}`;
  });
}

const compare = (key: string, modRevision: number): Txn => ({ compares: [{ key, modRevision }], writes: [] });
const unchanged = (prefix: string, since: number): Txn => ({
  compares: [],
  unchanged: [{ range: prefixRange(prefix), since }],
  writes: [],
});

test.each<[string, Txn, string[]]>([
  ['absence', compare('k', 0), ['k == 0']],
  ['a revision of this era', compare('k', 1_207), ['k == 57']],
  ['the revision it was restored with', compare('a', 1_105), ['a < 51', 'a > 0']],
  ['another one from before', compare('a', 1_104), ['a == -1']],
  ['one from before of what was not restored', compare('k', 1_105), ['k == -1']],
  ['a range since this era', unchanged('p/', 1_207), ['p/..p0 < 58']],
  ['a range since before it', unchanged('p/', 1_150), ['p/..p0 < 51']],
  ['a range that is known to have changed', unchanged('p/', CHANGED), ['p/..p0 < 0']],
  [
    'a range without keys',
    { compares: [], unchanged: [{ range: { start: 'b', end: 'a' }, since: 1 }], writes: [] },
    [],
  ],
])('requestOf() compares %s', (_what, txn, expected) => {
  expect(comparesIn(request(txn))).toEqual([`${META_KEY} == 50`, ...expected]);
});

test('requestOf() compares a restored key once when etcd’s revision of it is known', () => {
  const restored = new Map([['a', 41n]]);
  const prepared: PreparedTxn = { ...compare('a', 1_105), restored };
  expect(comparesIn(request(prepared))).toEqual([`${META_KEY} == 50`, 'a == 41']);
  expect(comparesIn(request({ ...compare('a', 1_104), restored }))).toEqual([`${META_KEY} == 50`, 'a == -1']);
});

test('requestOf() puts several side by side, those that compare as transactions of their own', () => {
  const plain: Txn = { compares: [], writes: [{ type: 'put', key: 'p', value: 'é' }] };
  const removing: Txn = {
    compares: [{ key: 'k', modRevision: 0 }],
    writes: [
      { type: 'delete', key: 'd' },
      { type: 'delete-range', range: prefixRange('r/') },
      { type: 'delete-range', range: { start: 'z', end: 'a' } },
    ],
  };
  const whole = request(plain, removing);
  expect(comparesIn(whole)).toEqual([`${META_KEY} == 50`]);
  const [put, nested] = whole.success.map(({ request: op }) => op);
  expect(put).toMatchObject({
    case: 'requestPut',
    value: { key: bytesOf('/drover/1.2/p'), value: Buffer.from('é'), lease: 0n },
  });
  const inner = nested?.value as TxnRequest;
  expect(nested?.case).toBe('requestTxn');
  expect(comparesIn(inner)).toEqual(['k == 0']);
  expect(inner.success.map(({ request: op }) => op.case)).toEqual(['requestDeleteRange', 'requestDeleteRange']);
  expect(inner.failure.map(({ request: op }) => op.case)).toEqual(['requestRange']);
});

const response = (init: MessageInitShape<typeof TxnResponseSchema>): TxnResponse =>
  create(TxnResponseSchema, { header: create(ResponseHeaderSchema, { revision: 60n }), ...init });
const range = (
  key: string,
  modRevision: bigint,
): NonNullable<MessageInitShape<typeof TxnResponseSchema>['responses']>[number] => ({
  response: {
    case: 'responseRange',
    value: { kvs: [{ key: bytesOf(key), value: Buffer.from('v'), createRevision: modRevision, modRevision }] },
  },
});

test('outcomesOf() tells a conflict from a pointer that does not hold any more', () => {
  const txns = [compare('k', 1_203)];
  const conflict = response({ succeeded: false, responses: [range(META_KEY, 50n), range('/drover/1.2/k', 55n)] });
  expect(outcomesOf(txns, conflict, era)).toEqual([
    { ok: false, revision: 1_210, entries: [{ key: 'k', value: 'v', createRevision: 1_205, modRevision: 1_205 }] },
  ]);
  expect(outcomesOf(txns, response({ succeeded: false, responses: [range(META_KEY, 58n)] }), era)).toBeNull();
  expect(
    outcomesOf([...txns, ...txns], response({ succeeded: false, responses: [range(META_KEY, 58n)] }), era),
  ).toBeNull();
  expect(outcomesOf(txns, response({ succeeded: true }), era)).toEqual([{ ok: true, revision: 1_210 }]);
});

test('outcomesOf() gives each of a batch its own', () => {
  const plain: Txn = { compares: [], writes: [{ type: 'put', key: 'p', value: '' }] };
  const nested = (
    succeeded: boolean,
  ): NonNullable<MessageInitShape<typeof TxnResponseSchema>['responses']>[number] => ({
    response: { case: 'responseTxn', value: { succeeded, responses: succeeded ? [] : [range('/drover/1.2/b', 52n)] } },
  });
  const put = { response: { case: 'responsePut' as const, value: {} } };
  const answered = response({ succeeded: true, responses: [nested(true), put, nested(false)] });
  const outcomes = outcomesOf([compare('a', 0), plain, compare('b', 0)], answered, era);
  expect(outcomes?.map(({ ok }) => ok)).toEqual([true, true, false]);
  expect(outcomes?.[2]).toMatchObject({ entries: [{ key: 'b', modRevision: 1_202 }] });
});
