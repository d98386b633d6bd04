import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { prefixRange } from '../contract.ts';
import { EtcdCallFailed, type EtcdClient } from './client.ts';
import { Era } from './era.ts';
import { EtcdReader } from './etcd-reader.ts';
import { errorOfCall } from './failure.ts';
import { TxnResponseSchema } from './generated/rpc_pb.ts';

const era = new Era({ layout: 1, generation: 0, revision: 100, flip: 10 }, new Map());

function readerOf(txn: EtcdClient['txn'], clock = new FakeClock()): EtcdReader {
  return new EtcdReader({
    client: { txn } as EtcdClient,
    clock,
    era: () => era,
    renewed: () => Promise.resolve(),
  });
}

test('EtcdReader.read() that no answer comes to has written nothing, and is said so', async () => {
  const late = new EtcdCallFailed('timeout', 'late', { outcome: 'unknown', endpoint: 'localhost:2379' });
  const failure: unknown = await readerOf(() => Promise.reject(late))
    .read(prefixRange(''))
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ kind: 'timeout', outcome: 'none', cause: late });
  expect(errorOfCall(failure, true)).toMatchObject({ code: 'STORE_NO_LEADER' });
});

test('EtcdReader.read() is tried again when a member goes away under it', async () => {
  const clock = new FakeClock();
  let tries = 0;
  const reader = readerOf(() => {
    if (++tries < 3)
      return Promise.reject(
        new EtcdCallFailed('unavailable', 'gone', { outcome: 'unknown', endpoint: 'localhost:2379' }),
      );
    const range = { case: 'responseRange' as const, value: { kvs: [] } };
    return Promise.resolve(
      create(TxnResponseSchema, { succeeded: true, header: { revision: 15n }, responses: [{ response: range }] }),
    );
  }, clock);
  const read = reader.read(prefixRange(''));
  await clock.advance(1_000);
  expect(await read).toEqual({ entries: [], revision: 105 });
  expect(tries).toBe(3);
});
