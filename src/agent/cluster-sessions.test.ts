import { expect, test } from 'vitest';
import { nodeRecordOf } from '../registry/testing.ts';
import { startTestCluster, type TestCluster, type TestServer } from './testing-cluster.ts';

const value = (text: string): Buffer => Buffer.from(text);
const TTL = { ttl: '10s', lockDelayMs: 0 };

interface Fixture extends AsyncDisposable {
  readonly cluster: TestCluster;
  /** The server that ends sessions, and the others. */
  holder(): TestServer;
  others(): readonly TestServer[];
  place(server: TestServer): number;
}

async function start(servers = 2): Promise<Fixture> {
  const cluster = await startTestCluster({ servers });
  await cluster.attach(0, { node: nodeRecordOf({ name: 'n1' }), instances: [], checks: [] });
  await cluster.clock.advance(1_000);
  const holds = ({ region }: TestServer): boolean =>
    region?.parts.duties.duty('sessions').fence !== null && region !== null;
  return {
    cluster,
    holder: () => cluster.servers.find(holds) as TestServer,
    others: () => cluster.servers.filter((one) => one.region !== null && !holds(one)),
    place: (server) => cluster.servers.indexOf(server),
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  };
}

const create = async ({ parts }: TestServer): Promise<string> =>
  (await parts.sessionWrites.create({ node: 'n1', checks: [], ...TTL })).id;

const isThere = (id: string, ...servers: readonly TestServer[]): boolean[] =>
  servers.map(({ parts }) => parts.sessions.get(id) !== undefined);

/** Renews every few seconds for so long. */
async function keep(fixture: Fixture, at: TestServer, id: string, forMs: number): Promise<void> {
  for (let passedMs = 0; passedMs < forMs; passedMs += 5_000) {
    await at.parts.sessionWrites.renew(id);
    await fixture.cluster.clock.advance(5_000);
  }
}

test('renew() on a server that ends no sessions keeps the session', async () => {
  await using fixture = await start();
  const [other] = fixture.others() as [TestServer];
  const id = await create(other);
  await keep(fixture, other, id, 60_000);
  expect(isThere(id, other, fixture.holder())).toEqual([true, true]);
  await fixture.cluster.clock.advance(20_000);
  expect(isThere(id, other, fixture.holder())).toEqual([false, false]);
});

test('a session that is renewed elsewhere is not ended while that cannot be heard, and is when it can', async () => {
  await using fixture = await start();
  const { cluster } = fixture;
  const [other] = fixture.others() as [TestServer];
  const [kept, left] = [await create(other), await create(other)];
  cluster.cutPeers(0, 1);
  await keep(fixture, other, kept, 60_000);
  expect(isThere(kept, fixture.holder())).toEqual([true]);
  expect(isThere(left, fixture.holder())).toEqual([true]);
  cluster.mendPeers(0, 1);
  await keep(fixture, other, kept, 40_000);
  expect(isThere(kept, fixture.holder())).toEqual([true]);
  expect(isThere(left, fixture.holder())).toEqual([false]);
});

test('renew() on a server whose last renewals were not heard counts in full when it runs no more', async () => {
  await using fixture = await start();
  const { cluster } = fixture;
  const [holder, other] = [fixture.holder(), fixture.others()[0] as TestServer];
  const id = await create(other);
  cluster.cutPeers(0, 1);
  await keep(fixture, other, id, 30_000);
  await other.parts.sessionWrites.renew(id);
  await cluster.stop(fixture.place(other));
  await cluster.clock.advance(9_500);
  expect(isThere(id, holder)).toEqual([true]);
  await cluster.clock.advance(20_000);
  expect(isThere(id, holder)).toEqual([false]);
});

test.each([
  ['before', 'lives'],
  ['after', 'is refused'],
])(
  'renew() of a session that lapses, just %s its end is written, is kept or refused: it %s',
  async (order, outcome) => {
    await using fixture = await start();
    const { cluster } = fixture;
    const other = fixture.others()[0] as TestServer;
    const id = await create(other);
    const end = heldBack(cluster, `sess/${id}`);
    await cluster.clock.advance(15_500);
    expect(end.isHeld()).toBe(true);
    if (order === 'after') await end.release();
    const renewed = await other.parts.sessionWrites.renew(id).then(
      () => 'lives',
      ({ code }: { code: string }) => (code === 'KV_UNKNOWN_SESSION' ? 'is refused' : code),
    );
    await end.release();
    await cluster.clock.advance(9_000);
    expect(renewed).toBe(outcome);
    expect(isThere(id, ...cluster.servers)).toEqual([outcome === 'lives', outcome === 'lives']);
  },
);

/** Transactions that delete a key reach the store only when they are released. */
function heldBack({ store, clock }: TestCluster, key: string): { isHeld(): boolean; release(): Promise<void> } {
  const { promise, resolve } = Promise.withResolvers<void>();
  let held = false;
  const commit = store.commit.bind(store);
  store.commit = async (txn) => {
    if (txn.writes.some((write) => write.type === 'delete' && write.key === key)) {
      held = true;
      await promise;
    }
    return commit(txn);
  };
  const release = async (): Promise<void> => {
    resolve();
    await clock.advance(100);
  };
  return { isHeld: () => held, release };
}

test('whoever takes over ending sessions gives each its full time first', async () => {
  await using fixture = await start(3);
  const { cluster } = fixture;
  const holder = fixture.holder();
  const id = await create(holder);
  await keep(fixture, holder, id, 30_000);
  // The holder knew of the last renewal alone.
  for (const other of fixture.others()) cluster.cutPeers(fixture.place(holder), fixture.place(other));
  await keep(fixture, holder, id, 10_000);
  await cluster.stop(fixture.place(holder));
  await cluster.clock.advance(9_000);
  const next = fixture.holder();
  expect(next.name).not.toBe(holder.name);
  expect(isThere(id, next)).toEqual([true]);
  await next.parts.sessionWrites.renew(id);
  await keep(fixture, fixture.others()[0] as TestServer, id, 30_000);
  expect(isThere(id, next)).toEqual([true]);
  await cluster.clock.advance(25_000);
  expect(isThere(id, next)).toEqual([false]);
});

test('a session ends once, by the server whose part it is, when its node is down or its check critical', async () => {
  await using fixture = await start(3);
  const { cluster } = fixture;
  const id = await create(cluster.server(1));
  const before = fixture.holder().parts.feed.revision;
  const commits: number[] = [];
  cluster
    .server(2)
    .parts.feed.onApplied(({ topics, revision }) => void (topics.has(`sess/${id}`) && commits.push(revision)));
  await cluster.server(0).parts.registry.deregister({ node: 'n1' });
  await cluster.clock.advance(2_000);
  expect(isThere(id, ...cluster.servers)).toEqual([false, false, false]);
  expect(commits).toHaveLength(1);
  expect(commits[0]).toBeGreaterThan(before);
});

test('two holders never both write with fencing: what the first still sends after its session lapsed fails', async () => {
  await using fixture = await start();
  const { cluster } = fixture;
  const [first, second] = [cluster.server(0), cluster.server(1)];
  const one = await create(first);
  const locked = await first.parts.kvWrites.acquire('leader', value('one'), one);
  expect(locked.ok).toBe(true);
  await cluster.clock.advance(25_000);
  expect(isThere(one, first, second)).toEqual([false, false]);
  const two = await create(second);
  await second.parts.sessionWrites.renew(two);
  expect((await second.parts.kvWrites.acquire('leader', value('two'), two)).ok).toBe(true);
  await expect(first.parts.kvWrites.acquire('leader', value('late'), one)).rejects.toMatchObject({
    code: 'KV_INVALID_SESSION',
  });
  const fenced = await first.parts.transactions.run([
    { ...check('leader', one) },
    { type: 'kv', verb: 'set', key: 'result', flags: '0', index: 0, session: '', value: value('late') },
  ]);
  expect(fenced.ok).toBe(false);
  expect(second.parts.kv.get('result')).toBeUndefined();
});

function check(
  key: string,
  session: string,
): { type: 'kv'; verb: string; key: string; flags: string; index: number; session: string; value: Buffer } {
  return { type: 'kv', verb: 'check-session', key, flags: '0', index: 0, session, value: Buffer.alloc(0) };
}

test('a lock-delay holds on every server, and is over on every one', async () => {
  await using fixture = await start();
  const { cluster } = fixture;
  const [near, far] = [cluster.server(0), cluster.server(1)];
  const { id } = await near.parts.sessionWrites.create({ node: 'n1', checks: [], lockDelayMs: 15_000 });
  await near.parts.kvWrites.acquire('k', value('x'), id);
  await far.parts.sessionWrites.destroy(id);
  const again = await create(far);
  for (const { parts } of [near, far]) expect((await parts.kvWrites.acquire('k', value('y'), again)).ok).toBe(false);
  await far.parts.sessionWrites.renew(again);
  await cluster.clock.advance(10_000);
  await far.parts.sessionWrites.renew(again);
  await cluster.clock.advance(10_000);
  expect((await near.parts.kvWrites.acquire('k', value('y'), again)).ok).toBe(true);
  expect((await cluster.store.read({ start: 'lockdelay/', end: 'lockdelay0' })).entries).toEqual([]);
});
