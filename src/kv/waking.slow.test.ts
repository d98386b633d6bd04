import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../lib/index.ts';
import { LiveQueries, type LiveQuery } from '../registry/index.ts';
import { kvPrefixTopic, kvTopic, sessionTopic } from './index.ts';
import { kvOp, startTestKv, type TestKv } from './testing.ts';

const SESSIONS = ['s1', 's2'];
const KEYS = ['a', 'a/b', 'b'];

function startQueries({ feed, kv, sessions, clock }: TestKv): Promise<LiveQueries> {
  const index = (topic: string): number => (topic.startsWith('kv/') ? kv : sessions).index(topic);
  return LiveQueries.start({ feed, index, clock, random: () => 0 });
}

/** Every kind of blocking query of keys and sessions. */
function queriesOf({ kv, sessions }: TestKv): LiveQuery[] {
  const query = (topic: string, content: () => unknown): LiveQuery => ({
    key: topic,
    topics: [topic],
    render: () => canonicalJson(content() ?? null),
  });
  return [
    ...[...KEYS, 'never'].map((key) => query(kvTopic(key), () => kv.get(key))),
    ...['', 'a', 'a/', 'never'].map((prefix) => query(kvPrefixTopic(prefix), () => kv.list(prefix))),
    query(sessionTopic.all, () => sessions.list()),
    ...['n1', 'never'].map((node) => query(sessionTopic.ofNode(node), () => sessions.ofNode(node))),
    ...[...SESSIONS, 'never'].map((id) => query(sessionTopic.one(id), () => sessions.get(id))),
  ];
}

test('10,000 random writes elsewhere wake nobody', async () => {
  await using server = await startTestKv({ history: false });
  await using live = await startQueries(server);
  await server.writes.put('a', Buffer.from('1'));
  await server.sessionWrites.create({ node: 'n1', checks: [] });
  const queries = queriesOf(server).filter((query) => query.key !== kvPrefixTopic(''));
  let woken = 0;
  for (const query of queries) void live.wait(query, { index: live.read(query).index }).then(() => woken++);
  const random = fc.sample(fc.tuple(fc.nat(500), fc.nat(9)), { numRuns: 10_000, seed: 7 });
  for (let start = 0; start < random.length; start += 100) {
    const some = random.slice(start, start + 100);
    await Promise.all(some.map(([key, what]) => writeElsewhere(server, `x/${key}`, what)));
  }
  expect([woken, live.waiters]).toEqual([0, queries.length]);
});

function writeElsewhere({ writes, transactions }: TestKv, key: string, what: number): Promise<unknown> {
  if (what === 0) return writes.delete(key);
  if (what === 1) return transactions.run([kvOp('delete', key), kvOp('set', `${key}/t`, { value: key })]);
  return writes.put(key, Buffer.from(String(what)));
}

type Step = (server: TestKv) => Promise<unknown>;
const key = fc.constantFrom(...KEYS);
const id = fc.constantFrom(...SESSIONS);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(key, fc.constantFrom('1', '2')).map(
    ([name, value]): Step =>
      ({ writes }) =>
        writes.put(name, Buffer.from(value)),
  ),
  key.map(
    (name): Step =>
      ({ writes }) =>
        writes.delete(name),
  ),
  fc.constantFrom('', 'a', 'a/').map(
    (prefix): Step =>
      ({ writes }) =>
        writes.deleteTree(prefix),
  ),
  fc.tuple(key, id).map(
    ([name, session]): Step =>
      ({ transactions }) =>
        transactions.run([kvOp('lock', name, { session })]),
  ),
  fc.constantFrom('release', 'delete').map(
    (behavior): Step =>
      ({ sessionWrites }) =>
        sessionWrites.create({ node: 'n1', checks: [], behavior, ttl: '10s', lockDelayMs: 0 }),
  ),
  id.map(
    (one): Step =>
      ({ sessionWrites }) =>
        sessionWrites.destroy(one),
  ),
  fc.constant<Step>(({ clock }) => clock.advance(9_000)),
);

test('no blocked query of a key, a prefix, a session, a node or the list sleeps past a change', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async (steps) => {
      const known: { server?: TestKv } = {};
      const newId = (): string => SESSIONS.find((one) => known.server?.sessions.stored(one) === undefined) ?? 'other';
      await using running = await startTestKv({ newId });
      known.server = running;
      await using live = await startQueries(running);
      const clients = queriesOf(running).map((query) => follow(live, query));
      for (const one of steps) await one(running).catch(() => undefined);
      await running.clock.advance(0);
      for (const client of clients) expect(client.seen(), client.query.key).toBe(client.query.render());
    }),
    { numRuns: 30 },
  );
});

/** A client that asks again with the index it got, as Consul's do. */
function follow(live: LiveQueries, query: LiveQuery): { readonly query: LiveQuery; readonly seen: () => string } {
  let seen = '';
  const ask = (index: number): void => {
    void live.wait(query, { index, waitMs: 600_000 }).then((answer) => {
      seen = answer.body.toString();
      if (answer.index > index) ask(answer.index);
    });
  };
  ask(0);
  return { query, seen: () => seen };
}
