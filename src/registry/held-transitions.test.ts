import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { MemoryStore, outcomeUnknown } from '../store/index.ts';
import { LeaderlessStore } from '../store/testing.ts';
import { Catalog } from './catalog.ts';
import type { AppliedChange } from './feed.ts';
import { healthOf } from './health-of.ts';
import { LiveQueries } from './live-queries.ts';
import { Registry } from './registry.ts';
import { StoreFeed } from './store-feed.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from './testing.ts';
import type { CheckStatus } from './records.ts';
import { topic } from './keys.ts';

interface Server {
  readonly store: LeaderlessStore;
  readonly feed: StoreFeed;
  readonly catalog: Catalog;
  readonly registry: Registry;
  readonly queries: LiveQueries;
  readonly changes: AppliedChange[];
  health(): string | undefined;
}

async function world(stack: AsyncDisposableStack) {
  const clock = new FakeClock();
  const shared = stack.use(await MemoryStore.start({ clock, base: 1 }));
  const errors: unknown[] = [];
  const report = (error: unknown): number => errors.push(error);
  const serve = async (server: string): Promise<Server> => {
    const store = new LeaderlessStore(shared);
    const catalog = new Catalog({ region: 'aws', report });
    const feed = stack.use(await StoreFeed.start({ store, projections: [catalog], clock, report }));
    const held = { feed, takesWrites: () => store.status().leaderKnown, report };
    const registry = stack.use(new Registry({ feed, catalog, clock, server, held }));
    const index = (name: string): number => catalog.index(name);
    const queries = stack.use(await LiveQueries.start({ feed, index, clock, random: () => 0 }));
    const changes: AppliedChange[] = [];
    feed.onApplied((change) => changes.push(change));
    const health = (): string | undefined => catalog.instances('api').map(healthOf)[0];
    return { store, feed, catalog, registry, queries, changes, health };
  };
  return { clock, shared, errors, serve };
}

const check = (status: CheckStatus, since: string = status) =>
  checkRecordOf({ id: 'c', serviceId: 'api', status, since });
const registration = (status: CheckStatus) => ({
  node: nodeRecordOf({ name: 'n1' }),
  instances: [instanceRecordOf({ service: 'api' })],
  checks: [check(status)],
});
const say = ({ registry }: Server, status: CheckStatus, epoch = 1, since: string = status) =>
  registry.report('n1', [{ type: 'check', check: check(status, since) }], epoch);

describe('HeldTransitions', () => {
  test('a check that fails while nobody can say whether it was written fails on its server, and is written again', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve, errors } = await world(stack);
    const [a, b] = [await serve('a'), await serve('b')];
    await a.registry.syncNode(registration('passing'), 1);
    const commit = a.store.commit.bind(a.store);
    a.store.commit = () => Promise.reject(outcomeUnknown('the quorum was lost'));
    await expect(say(a, 'critical')).rejects.toMatchObject({ code: 'STORE_UNKNOWN_OUTCOME' });
    expect([a.health(), b.health()]).toEqual(['critical', 'passing']);
    a.store.commit = commit;
    await clock.advance(1_000);
    expect([a.health(), b.health(), a.registry.heldChecks, errors]).toEqual(['critical', 'critical', 0, []]);
  });

  test('what is held stays when nobody can say whether it was written', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve, errors } = await world(stack);
    const [a, b] = [await serve('a'), await serve('b')];
    await a.registry.syncNode(registration('passing'), 1);
    a.store.cut();
    await expect(say(a, 'critical')).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
    a.store.cut(false);
    const commit = a.store.commit.bind(a.store);
    a.store.commit = () => Promise.reject(outcomeUnknown('the quorum was lost once more'));
    await clock.advance(10_000);
    expect([a.health(), b.health(), a.registry.heldChecks, errors]).toEqual(['critical', 'passing', 1, []]);
    a.store.commit = commit;
    await clock.advance(1_000);
    expect([a.health(), b.health(), a.registry.heldChecks, errors]).toEqual(['critical', 'critical', 0, []]);
  });

  test('a check that fails while the store takes no writes fails on its server, and everywhere once it does', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve, errors } = await world(stack);
    const [a, b] = [await serve('a'), await serve('b')];
    await a.registry.syncNode(registration('passing'), 1);
    const index = a.catalog.index(topic.service('api'));
    for (const { store } of [a, b]) store.cut();
    await expect(say(a, 'critical')).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
    expect([a.health(), b.health(), a.registry.heldChecks]).toEqual(['critical', 'passing', 1]);
    expect(a.catalog.index(topic.service('api'))).toBe(index);
    expect(a.changes.at(-1)).toMatchObject({ revision: a.feed.revision, held: true });
    expect([...(a.changes.at(-1)?.services ?? [])]).toEqual(['api']);
    await clock.advance(60_000);
    expect(a.health()).toBe('critical');
    const seen: (string | undefined)[] = [];
    a.feed.onApplied(() => seen.push(a.health()));
    for (const { store } of [a, b]) store.cut(false);
    await clock.advance(1_000);
    expect([a.health(), b.health(), a.registry.heldChecks]).toEqual(['critical', 'critical', 0]);
    // Not for a moment did it seem to be well.
    expect(new Set(seen)).toEqual(new Set(['critical']));
    expect(a.catalog.node('n1')?.instances.get('api')?.checks.get('c')).not.toHaveProperty('stored');
    expect(errors).toEqual([]);
  });

  test('one that is said again while the store takes no writes is written all the same', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve, errors } = await world(stack);
    const [a, b] = [await serve('a'), await serve('b')];
    await a.registry.syncNode(registration('passing'), 1);
    for (const { store } of [a, b]) store.cut();
    await say(a, 'critical').catch(() => undefined);
    await say(a, 'critical', 1, 'later').catch(() => undefined);
    await a.registry.syncNode(registration('critical'), 1).catch(() => undefined);
    expect([a.health(), a.registry.heldChecks]).toEqual(['critical', 1]);
    for (const { store } of [a, b]) store.cut(false);
    await clock.advance(5_000);
    expect([a.health(), b.health(), a.registry.heldChecks, errors]).toEqual(['critical', 'critical', 0, []]);
  });

  test('one that is well again before the store takes writes is as it was, and nothing is written', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, shared, serve } = await world(stack);
    const a = await serve('a');
    await a.registry.syncNode(registration('passing'), 1);
    const before = shared.status().revision;
    a.store.cut();
    await say(a, 'critical').catch(() => undefined);
    await say(a, 'passing', 1, 'later').catch(() => undefined);
    expect(a.health()).toBe('passing');
    a.store.cut(false);
    await clock.advance(5_000);
    expect([a.health(), a.registry.heldChecks]).toEqual(['passing', 0]);
    expect(shared.status().revision).toBe(before);
  });

  test('what a node says when the store takes writes again counts, not what was held before', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve } = await world(stack);
    const a = await serve('a');
    await a.registry.syncNode(registration('passing'), 1);
    a.store.cut();
    await say(a, 'critical').catch(() => undefined);
    a.store.cut(false);
    await Promise.all([say(a, 'warning'), clock.advance(300)]);
    await clock.advance(5_000);
    expect([a.health(), a.registry.heldChecks]).toEqual(['warning', 0]);
  });

  test('a synchronisation that finds nothing to write ends what is held', async () => {
    await using stack = new AsyncDisposableStack();
    const { serve } = await world(stack);
    const a = await serve('a');
    await a.registry.syncNode(registration('passing'), 1);
    a.store.cut();
    await say(a, 'critical').catch(() => undefined);
    a.store.cut(false);
    await a.registry.syncNode(registration('passing'), 1);
    expect([a.health(), a.registry.heldChecks]).toEqual(['passing', 0]);
  });

  test('a synchronisation that cannot be written is shown as well', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve } = await world(stack);
    const [a, b] = [await serve('a'), await serve('b')];
    await a.registry.syncNode(registration('passing'), 1);
    a.store.cut();
    await a.registry.syncNode(registration('critical'), 1).catch(() => undefined);
    expect(a.health()).toBe('critical');
    a.store.cut(false);
    await clock.advance(1_000);
    expect(b.health()).toBe('critical');
  });

  test('what is held ends where another server speaks for the node meanwhile', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve, errors } = await world(stack);
    const [a, b] = [await serve('a'), await serve('b')];
    await a.registry.syncNode(registration('passing'), 1);
    a.store.cut();
    await say(a, 'critical').catch(() => undefined);
    await b.registry.syncNode(registration('passing'), 2);
    a.store.cut(false);
    await clock.advance(5_000);
    expect([a.health(), b.health(), a.registry.heldChecks]).toEqual(['passing', 'passing', 0]);
    expect(errors).toHaveLength(1);
  });

  test('what the region does not know is not held: checks of no instance, other nodes, no result yet', async () => {
    await using stack = new AsyncDisposableStack();
    const { serve } = await world(stack);
    const a = await serve('a');
    await a.registry.syncNode(registration('passing'), 1);
    a.store.cut();
    const others = [checkRecordOf({ id: 'other', serviceId: 'none', status: 'critical' }), check('unknown')];
    for (const one of others) await a.registry.report('n1', [{ type: 'check', check: one }], 1).catch(() => undefined);
    await a.registry.report('n2', [{ type: 'check', check: check('critical') }]).catch(() => undefined);
    expect([a.health(), a.registry.heldChecks, a.changes.filter(({ held }) => held)]).toEqual(['passing', 0, []]);
  });

  test('who waits is woken with the answer as it is, under the index it has', async () => {
    await using stack = new AsyncDisposableStack();
    const { clock, serve } = await world(stack);
    const a = await serve('a');
    await a.registry.syncNode(registration('passing'), 1);
    const query = { key: 'api', topics: [topic.service('api')], render: () => a.health() ?? '' };
    const first = a.queries.read(query);
    const waiting = a.queries.wait(query, { index: first.index });
    a.store.cut();
    await say(a, 'critical').catch(() => undefined);
    const woken = await waiting;
    expect([woken.index, woken.body.toString()]).toEqual([first.index, 'critical']);
    expect(a.queries.read(query).body.toString()).toBe('critical');
    // And sleeps on with it: what is written then is no other answer.
    let isWoken = false;
    const again = a.queries.wait(query, { index: woken.index, waitMs: 60_000 }).then(() => (isWoken = true));
    a.store.cut(false);
    await clock.advance(2_000);
    expect(isWoken).toBe(false);
    await clock.advance(60_000);
    await again;
    expect(a.queries.read(query).index).toBeGreaterThan(first.index);
  });
});
