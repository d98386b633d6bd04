import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { ALWAYS_ON_DUTY, type Txn, type Write } from '../store/index.ts';
import { startTestKv, startTestStore } from './testing.ts';

test('every transaction by which a session ends that nobody destroyed has the fence of the duty', async () => {
  const clock = new FakeClock();
  await using store = await startTestStore(clock);
  const bound: Write = { type: 'delete', key: 'pq/bound-meanwhile' };
  // Bound to it through another server: this one hears of it when the session is gone.
  await using server = await startTestKv({
    store,
    clock,
    withSession: (id) => (id === ending && server.sessions.stored(id) === undefined && !isGone ? [bound] : []),
  });
  let isGone = false;
  const { id: ending } = await server.sessionWrites.create({ node: 'n1', checks: [], ttl: '10s', lockDelayMs: 1_000 });
  await Promise.all(Array.from({ length: 50 }, (_, n) => server.writes.acquire(`k/${n}`, Buffer.from('x'), ending)));
  const txns: Txn[] = [];
  const commit = store.commit.bind(store);
  store.commit = (txn) => {
    txns.push(txn);
    isGone ||= txn.writes.includes(bound);
    return commit(txn);
  };
  await clock.advance(60_000);
  expect([server.sessions.stored(ending), isGone, server.sessions.delays.elapsed()]).toEqual([undefined, true, []]);
  const fence = ALWAYS_ON_DUTY.fence?.key;
  expect(txns.length).toBeGreaterThan(4);
  expect(txns.filter(({ compares }) => !compares.some(({ key }) => key === fence))).toEqual([]);
});
