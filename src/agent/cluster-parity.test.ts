import { expect, test } from 'vitest';
import { canonicalJson } from '../lib/index.ts';
import { checkRecordOf, definitionOf, instanceRecordOf, nodeRecordOf } from '../registry/testing.ts';
import { startTestCluster, type TestServer } from './testing-cluster.ts';

type Parts = TestServer['parts'];

/** All that a server answers from, one text for each part. */
function contents({ catalog, kv, sessions, acl, userEvents, changes }: Parts): Record<string, string> {
  const history = changes.latest(STEPS.length).map(({ revision, summary, author }) => ({ revision, summary, author }));
  return Object.fromEntries(
    Object.entries({
      nodes: catalog.nodes().map(({ record, alive, modRevision }) => ({ record, alive, modRevision })),
      instances: catalog
        .serviceNames()
        .map((name) => catalog.instances(name).map((one) => [one.record, one.modRevision])),
      definitions: catalog.definitions(),
      datastores: catalog.datastores(),
      keys: kv.list(''),
      sessions: sessions.list(),
      policies: acl.state.policies(),
      tokens: acl.state.tokens(),
      events: userEvents.log.all(),
      changes: history,
    }).map(([name, value]) => [name, canonicalJson(JSON.parse(JSON.stringify(value)))]),
  );
}

/** The index of every topic that a change has ever touched, and of one that never was. */
function indexes({ catalog, kv, sessions, acl }: Parts, topics: ReadonlySet<string>): Record<string, number> {
  const holder = (topic: string): { index(topic: string): number } => {
    if (topic.startsWith('kv/')) return kv;
    if (topic.startsWith('sess')) return sessions;
    return topic.startsWith('acl/') ? acl.state : catalog;
  };
  const all = [...topics, 'svc/never', 'kv/never'].toSorted();
  return Object.fromEntries(all.map((topic) => [topic, holder(topic).index(topic)]));
}

/** One thing after the other, each through the server that is given. */
const STEPS: readonly ((parts: Parts) => Promise<unknown>)[] = [
  ({ registry }) =>
    registry.registerExternal({
      node: { name: 'e1', address: '10.0.0.1' },
      instance: instanceRecordOf({ service: 'db' }),
    }),
  ({ registry }) =>
    registry.putDefinitions([definitionOf({ id: 'api', provides: { API_URL: 'x' } })], { author: 'ann' }),
  ({ registry }) => registry.setDatastore('default', '-', 'DB', 'one', { author: 'bob' }),
  ({ registry }) => registry.setDatastore('default', '-', 'DB', 'two', { author: 'ann' }),
  ({ kvWrites }) => kvWrites.put('a/b', Buffer.from('1')),
  ({ kvWrites }) => kvWrites.put('a/c', Buffer.from('2')),
  ({ kvWrites }) => kvWrites.delete('a/b'),
  ({ userEvents }) => userEvents.fires.fire(EVENT),
  ({ sessionWrites }) => sessionWrites.create({ node: 'n1', checks: [] }),
  ({ kvWrites, sessions }) => kvWrites.acquire('lock', Buffer.from('x'), sessions.list()[0]?.id ?? ''),
  ({ userEvents }) => userEvents.fires.fire({ ...EVENT, name: 'again' }),
  ({ acl }) =>
    acl.writes.putPolicy(undefined, {
      name: 'p',
      description: '',
      rules: 'key_prefix "" { policy = "read" }',
      datacenters: [],
    }),
  ({ sessionWrites, sessions }) => sessionWrites.destroy(sessions.list()[0]?.id ?? ''),
  ({ kvWrites }) => kvWrites.deleteTree('a'),
  ({ registry }) => registry.removeDatastore('default', '-', 'DB', { author: 'bob' }),
  ({ registry }) => registry.deregister({ node: 'e1' }),
];

const EVENT = {
  name: 'deploy',
  payload: Buffer.from('x'),
  nodeFilter: '',
  serviceFilter: '',
  tagFilter: '',
};

test('what is written through one server is read through every other, at the same indexes, also after a restart', async () => {
  await using cluster = await startTestCluster({ servers: 3 });
  const topics = new Set<string>();
  cluster.server(0).parts.feed.onApplied((change) => change.topics.forEach((topic) => topics.add(topic)));
  await cluster.attach(1, {
    node: nodeRecordOf({ name: 'n1' }),
    instances: [instanceRecordOf({ service: 'api', port: 1 })],
    checks: [checkRecordOf({ id: 'up', serviceId: 'api' })],
  });
  for (const [at, step] of STEPS.entries()) {
    await step(cluster.server(at % 3).parts);
    await cluster.settle();
    const [first, second, third] = cluster.servers.map(({ parts }) => indexes(parts, topics));
    expect(second, `step ${at}`).toEqual(first);
    expect(third, `step ${at}`).toEqual(first);
  }
  const [first, ...others] = cluster.servers.map(({ parts }) => contents(parts));
  for (const other of others) expect(other).toEqual(first);
  expect(
    cluster
      .server(2)
      .parts.userEvents.log.all()
      .map(({ name }) => name),
  ).toEqual(['deploy', 'again']);
  await cluster.stop(2);
  await cluster.start(2);
  await cluster.settle();
  const [running, restarted] = [cluster.server(0).parts, cluster.server(2).parts];
  expect(indexes(restarted, topics)).toEqual(indexes(running, topics));
  const { changes: _here, ...before } = contents(running);
  const { changes: _there, ...after } = contents(restarted);
  expect(after).toEqual(before);
});

test('a query that waits on one server is woken by what another writes, and by nothing else', async () => {
  await using cluster = await startTestCluster();
  const [writer, waiter] = [cluster.server(0).parts, cluster.server(1).parts];
  await writer.kvWrites.put('k', Buffer.from('1'));
  await cluster.settle();
  const woken: number[] = [];
  waiter.feed.onApplied(({ topics, revision }) => void (topics.has('kv/k') && woken.push(revision)));
  await writer.kvWrites.put('other', Buffer.from('1'));
  const { revision } = await writer.kvWrites.put('k', Buffer.from('2'));
  await cluster.settle();
  expect(woken).toEqual([revision]);
  expect(waiter.kv.get('k')?.value).toEqual(writer.kv.get('k')?.value);
});
