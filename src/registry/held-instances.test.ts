import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { MemoryStore } from '../store/index.ts';
import { LeaderlessStore } from '../store/testing.ts';
import { Catalog } from './catalog.ts';
import type { AppliedChange } from './feed.ts';
import { healthOf, isRoutable } from './health-of.ts';
import { Registry } from './registry.ts';
import { StoreFeed } from './store-feed.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf } from './testing.ts';

/** A server with the node `n1` and its instances `a` and `b`. */
async function start(stack: AsyncDisposableStack) {
  const clock = new FakeClock();
  const shared = stack.use(await MemoryStore.start({ clock, base: 1 }));
  const serve = async (server: string) => {
    const store = new LeaderlessStore(shared);
    const catalog = new Catalog({ region: 'aws' });
    const feed = stack.use(await StoreFeed.start({ store, projections: [catalog], clock }));
    const held = { feed, takesWrites: () => store.status().leaderKnown, report: () => undefined };
    const registry = stack.use(new Registry({ feed, catalog, clock, server, held }));
    const routable = (): string =>
      catalog
        .instances('api')
        .filter((one) => isRoutable(healthOf(one)))
        .map(({ record }) => record.id)
        .join();
    return { store, catalog, feed, registry, routable };
  };
  const [a, b] = [await serve('a'), await serve('b')];
  await a.registry.syncNode(registration('a', 'b'), 1);
  return { clock, shared, a, b };
}

const registration = (...ids: readonly string[]) => ({
  node: nodeRecordOf({ name: 'n1' }),
  instances: ids.map((id) => instanceRecordOf({ service: 'api', id })),
  checks: [],
});
const gone = [{ type: 'instance-gone', id: 'a' }] as const;
const again = [{ type: 'instance', instance: instanceRecordOf({ service: 'api', id: 'a' }), checks: [] }] as const;

test('an instance that its agent takes back while nothing can be written is out on its server, and gone when it is told again', async () => {
  await using stack = new AsyncDisposableStack();
  const { a, b, shared } = await start(stack);
  a.store.cut();
  const { revision } = shared.status();
  const changes: AppliedChange[] = [];
  a.feed.onApplied((change) => changes.push(change));
  await expect(a.registry.report('n1', gone, 1)).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
  expect([a.routable(), b.routable(), shared.status().revision]).toEqual(['b', 'a,b', revision]);
  expect(changes).toMatchObject([{ held: true, revision }]);
  expect([...(changes[0]?.services ?? [])]).toEqual(['api']);
  const seen: string[] = [];
  a.feed.onApplied(() => seen.push(a.routable()));
  a.store.cut(false);
  await a.registry.syncNode(registration('b'), 1);
  expect([a.routable(), b.routable(), new Set(seen)]).toEqual(['b', 'b', new Set(['b'])]);
  expect(a.catalog.instances('api')).toHaveLength(1);
});

test('all that an agent says of its node counts as well, and what it says later', async () => {
  await using stack = new AsyncDisposableStack();
  const { a } = await start(stack);
  a.store.cut();
  await a.registry.syncNode(registration('b'), 1).catch(() => undefined);
  expect(a.routable()).toBe('b');
  await a.registry.report('n1', again, 1).catch(() => undefined);
  expect(a.routable()).toBe('a,b');
  await a.registry.syncNode(registration('a'), 1).catch(() => undefined);
  expect(a.routable()).toBe('a');
});

test.each([
  ['one that is registered again', (registry: Registry) => registry.report('n1', again, 1)],
  ['a node that says that all is as it was', (registry: Registry) => registry.syncNode(registration('a', 'b'), 1)],
])('%s is back in as soon as nothing differs from what is stored', async (_who, say) => {
  await using stack = new AsyncDisposableStack();
  const { a } = await start(stack);
  a.store.cut();
  await a.registry.report('n1', gone, 1).catch(() => undefined);
  a.store.cut(false);
  await say(a.registry);
  expect(a.routable()).toBe('a,b');
});

test('what is out is back in where another server speaks for the node', async () => {
  await using stack = new AsyncDisposableStack();
  const { a, b, clock } = await start(stack);
  a.store.cut();
  await a.registry.report('n1', gone, 1).catch(() => undefined);
  await b.registry.syncNode(registration('a', 'b'), 2);
  await clock.advance(1_000);
  expect([a.routable(), b.routable()]).toEqual(['a,b', 'a,b']);
});

test('nothing else is out: what the region refuses, and instances that it does not know', async () => {
  await using stack = new AsyncDisposableStack();
  const { a } = await start(stack);
  await expect(a.registry.report('n1', gone, 0)).rejects.toMatchObject({ code: 'REGISTRY_OLD_EPOCH' });
  a.store.cut();
  await a.registry.report('n1', [{ type: 'instance-gone', id: 'other' }], 1).catch(() => undefined);
  expect(a.routable()).toBe('a,b');
});

test('an instance of which a new check fails while nothing can be written is out until that passes, is taken back, or is written', async () => {
  await using stack = new AsyncDisposableStack();
  const { a, b } = await start(stack);
  a.store.cut();
  const late = (status: 'passing' | 'critical') => checkRecordOf({ id: 'late', serviceId: 'a', status });
  const say = (status: 'passing' | 'critical') =>
    a.registry.report('n1', [{ type: 'check', check: late(status) }], 1).catch(() => undefined);
  const seen: string[] = [];
  for (const status of ['passing', 'critical', 'passing', 'critical'] as const) {
    await say(status);
    seen.push(a.routable());
  }
  expect(seen).toEqual(['a,b', 'b', 'a,b', 'b']);
  await a.registry.report('n1', [{ type: 'check-gone', id: 'late' }], 1).catch(() => undefined);
  expect(a.routable()).toBe('a,b');
  await a.registry.syncNode({ ...registration('a', 'b'), checks: [late('critical')] }, 1).catch(() => undefined);
  expect([a.routable(), b.routable()]).toEqual(['b', 'a,b']);
  a.store.cut(false);
  await say('critical');
  expect([a.routable(), b.routable()]).toEqual(['b', 'b']);
});
