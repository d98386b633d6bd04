import fc from 'fast-check';
import { expect, test } from 'vitest';
import { topic } from './keys.ts';
import { historyRange } from '../store/index.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf, startTestRegistry, type TestRegistry } from './testing.ts';
import type { NodeRegistration, Transition } from './transition.ts';

const NODE: NodeRegistration = {
  node: nodeRecordOf({ name: 'n1', id: 'one', address: '10.0.0.1' }),
  instances: [instanceRecordOf({ service: 'api' })],
  checks: [checkRecordOf({ id: 'up', serviceId: 'api' })],
};
const gone: Transition = { type: 'instance-gone', id: 'api' };

interface TwoServers extends AsyncDisposable {
  readonly one: TestRegistry;
  readonly two: TestRegistry;
  /** Until both have seen all that was written. */
  caughtUp(): Promise<void>;
}

/** Two servers over one store. */
async function startTwo(): Promise<TwoServers> {
  await using stack = new AsyncDisposableStack();
  const one = stack.use(await startTestRegistry({ server: 's1' }));
  const two = stack.use(await startTestRegistry({ server: 's2', store: one.store, clock: one.clock }));
  const caughtUp = async (): Promise<void> => {
    const { revision } = one.store.status();
    await Promise.all([one.feed.applied(revision), two.feed.applied(revision)]);
  };
  const moved = stack.move();
  return { one, two, caughtUp, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

const ownerAt = ({ catalog }: TestRegistry): unknown => catalog.nodeState('n1')?.owner;

test('syncNode() says who speaks for the node and through which server, once per link', async () => {
  await using servers = await startTwo();
  const { one, two } = servers;
  await one.registry.syncNode(NODE, 1, 'a');
  const first = await one.registry.syncNode(NODE, 1, 'a');
  expect(ownerAt(one)).toEqual({ epoch: 1, server: 's1', agent: 'a', modRevision: first });
  await servers.caughtUp();
  const second = await two.registry.syncNode(NODE, 2, 'a');
  expect(second).toBe(first + 1);
  expect(ownerAt(two)).toEqual({ epoch: 2, server: 's2', agent: 'a', modRevision: second });
});

test('syncNode() moves no index, wakes nobody and leaves no history when only the owner becomes another', async () => {
  await using servers = await startTwo();
  const { one, two } = servers;
  await one.registry.syncNode(NODE, 1, 'a');
  await servers.caughtUp();
  const topics = [
    topic.nodes,
    topic.services,
    topic.checks,
    topic.node('n1'),
    topic.nodeChecks('n1'),
    topic.service('api'),
  ];
  const before = topics.map((each) => two.catalog.index(each));
  const changes: unknown[] = [];
  one.feed.onApplied(({ topics: touched, nodes, services, summary }) =>
    changes.push([touched.size, nodes.size, services.size, summary.length]),
  );
  await two.registry.syncNode(NODE, 2, 'a');
  await servers.caughtUp();
  expect(changes).toEqual([[0, 0, 0, 0]]);
  expect(topics.map((each) => two.catalog.index(each))).toEqual(before);
  expect((await one.store.read(historyRange())).entries).toEqual([]);
});

test('report() of a link that was replaced is refused, also when its server has not seen the new one yet', async () => {
  await using servers = await startTwo();
  const { one, two } = servers;
  await one.registry.syncNode(NODE, 1, 'a');
  await servers.caughtUp();
  // Both at once: the store's comparison decides, not what a server happens to have seen.
  const [taken, zombie] = await Promise.allSettled([
    two.registry.syncNode(NODE, 2, 'a'),
    one.registry.report('n1', [gone], 1),
  ]);
  expect(taken.status).toBe('fulfilled');
  await servers.caughtUp();
  const isThere = one.catalog.instances('api').length === 1;
  expect(zombie.status).toBe(isThere ? 'rejected' : 'fulfilled');
  await expect(one.registry.report('n1', [gone], 1)).rejects.toMatchObject({ code: 'REGISTRY_OLD_EPOCH' });
});

test('setAlive() of an owner who was replaced is refused', async () => {
  await using servers = await startTwo();
  const { one, two } = servers;
  await one.registry.syncNode(NODE, 1, 'a');
  await servers.caughtUp();
  await two.registry.syncNode(NODE, 2, 'a');
  await servers.caughtUp();
  const down = { status: 'down', since: '' } as const;
  await expect(one.registry.setAlive('n1', down, { epoch: 1 })).rejects.toMatchObject({ code: 'REGISTRY_OLD_EPOCH' });
  expect(one.catalog.node('n1')?.alive.status).toBe('up');
});

test('syncNode() of another agent is refused until the first one is down, and says what was wrong with it alone', async () => {
  await using region = await startTestRegistry({ server: 's1' });
  const other = { ...NODE, node: { ...NODE.node, id: 'two', address: '10.0.0.2' }, instances: [], checks: [] };
  await region.registry.syncNode(NODE, 1, 'a');
  const refused = region.registry.syncNode(other, 9, 'b');
  const reported = region.registry.report('n1', [{ type: 'check-gone', id: 'up' }], 1);
  await expect(refused).rejects.toMatchObject({ code: 'REGISTRY_NODE_NAME_HELD' });
  await reported;
  expect(ownerAt(region)).toMatchObject({ epoch: 1, agent: 'a' });
  await region.registry.setAlive('n1', { status: 'down', since: '' });
  await region.registry.syncNode(other, 9, 'b');
  expect(region.catalog.node('n1')).toMatchObject({
    record: { id: 'two', address: '10.0.0.2' },
    alive: { status: 'up' },
  });
  expect(region.catalog.instances('api')).toEqual([]);
});

test('syncNode() that is refused for what it says leaves the owner as it was', async () => {
  await using region = await startTestRegistry({ server: 's1' });
  await region.registry.syncNode(NODE, 1, 'a');
  await expect(region.registry.syncNode({ ...NODE, instances: [] }, 2, 'a')).rejects.toThrow('no service with id');
  expect(ownerAt(region)).toMatchObject({ epoch: 1 });
});

test('syncNode() over two servers at random ends with the highest epoch, and nothing of a lower one is written after it', async () => {
  const step = fc.record({
    server: fc.constantFrom<'one' | 'two'>('one', 'two'),
    epoch: fc.integer({ min: 1, max: 6 }),
  });
  const property = fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
    await using servers = await startTwo();
    const outcomes = await Promise.allSettled(
      steps.map(({ server, epoch }) => {
        const instances = [instanceRecordOf({ service: 'api', port: epoch })];
        return servers[server].registry.syncNode({ ...NODE, instances, checks: [] }, epoch, 'a');
      }),
    );
    await servers.caughtUp();
    const highest = Math.max(...steps.map(({ epoch }) => epoch));
    expect(servers.one.catalog.nodeState('n1')?.owner?.epoch).toBe(highest);
    expect(servers.two.catalog.instances('api').map(({ record }) => record.port)).toEqual([highest]);
    for (const [index, outcome] of outcomes.entries())
      if (steps[index]?.epoch === highest) expect(outcome.status).toBe('fulfilled');
  });
  await fc.assert(property, { numRuns: 25 });
});
