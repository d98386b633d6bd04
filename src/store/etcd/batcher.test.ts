import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import type { Txn } from '../contract.ts';
import { Batcher, type BatcherOptions } from './batcher.ts';
import { EtcdCallFailed } from './client.ts';
import { Era } from './era.ts';
import { TxnResponseSchema } from './generated/rpc_pb.ts';

const era = new Era({ layout: 1, generation: 0, revision: 100, flip: 10 }, new Map());
const put = (key: string): Txn => ({ compares: [], writes: [{ type: 'put', key, value: '' }] });
const away = (): EtcdCallFailed =>
  new EtcdCallFailed('unavailable', 'no leader', { outcome: 'none', endpoint: 'localhost:2379' });

function start(clock: FakeClock, send: BatcherOptions['send']): Batcher {
  return new Batcher({
    clock,
    send,
    era: () => era,
    renewed: () => Promise.resolve(),
    prepare: (txn) => Promise.resolve(txn),
    answered: () => undefined,
    errorOf: (failure) => failure as Error,
  });
}

test('Batcher tells all who wait behind one key within moments of each other that there is no leader', async () => {
  const clock = new FakeClock();
  const batcher = start(clock, () => Promise.reject(away()));
  const settled: number[] = [];
  for (let at = 0; at < 50; at++) batcher.submit(put('tomb/services')).catch(() => settled.push(clock.now()));
  await clock.advance(2_500);
  expect(settled).toHaveLength(50);
  await batcher.drain();
});

test('Batcher sends again what certainly was not done, until it is', async () => {
  const clock = new FakeClock();
  let sent = 0;
  const batcher = start(clock, () => {
    if (++sent < 5) return Promise.reject(away());
    return Promise.resolve(create(TxnResponseSchema, { succeeded: true, header: { revision: 12n }, responses: [] }));
  });
  const committed = batcher.submit(put('k'));
  await clock.advance(1_000);
  expect(await committed).toEqual({ ok: true, revision: 102 });
  expect(sent).toBe(5);
});

test('Batcher never sends again what may have been done', async () => {
  const clock = new FakeClock();
  let sent = 0;
  const batcher = start(clock, () => {
    sent++;
    return Promise.reject(new EtcdCallFailed('timeout', 'late', { outcome: 'unknown', endpoint: 'localhost:2379' }));
  });
  await expect(batcher.submit(put('k'))).rejects.toThrow('late');
  await clock.advance(10_000);
  expect(sent).toBe(1);
});
