import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { MemoryStore, prefixRange } from '../store/index.ts';
import { NodeDrafts } from './node-drafts.ts';
import { checkRecordOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from './testing.ts';

test.each(['service', 'removal'])(
  'a node that is removed through one server while another adds a service to it, %s first',
  async (first) => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await using a = await startTestRegistry({ store, clock, server: 'a' });
    await using b = await startTestRegistry({ store, clock, server: 'b' });
    const node = nodeRecordOf({ name: 'db-1', external: true });
    await a.registry.registerExternal({ node, instance: instanceRecordOf({ service: 'one' }) });
    await b.feed.applied(a.feed.revision);
    const add = () => b.registry.registerExternal({ node, instance: instanceRecordOf({ service: 'two' }) });
    const remove = () => a.registry.deregister({ node: 'db-1' });
    await Promise.allSettled(first === 'service' ? [add(), remove()] : [remove(), add()]);
    await clock.advance(0);
    const { entries } = await store.read(prefixRange(''));
    const keys = entries.map(({ key }) => key).filter((key) => /^(node|inst|chk)\//.test(key));
    expect(keys).toEqual(keys.includes('node/db-1') ? expect.arrayContaining(['inst/db-1/two']) : []);
  },
);

test.each(['check', 'removal'])(
  'a service that is removed through one server while another adds a check to it, %s first',
  async (first) => {
    const clock = new FakeClock();
    await using store = await MemoryStore.start({ clock });
    await using a = await startTestRegistry({ store, clock, server: 'a' });
    await using b = await startTestRegistry({ store, clock, server: 'b' });
    const node = nodeRecordOf({ name: 'db-1', external: true });
    await a.registry.registerExternal({ node, instance: instanceRecordOf({ service: 'one' }) });
    await b.feed.applied(a.feed.revision);
    const check = checkRecordOf({ id: 'up', serviceId: 'one' });
    const add = () => b.registry.registerExternal({ node, checks: [check] });
    const remove = () => a.registry.deregister({ node: 'db-1', serviceId: 'one' });
    await Promise.allSettled(first === 'check' ? [add(), remove()] : [remove(), add()]);
    await clock.advance(0);
    const { entries } = await store.read(prefixRange(''));
    expect(entries.map(({ key }) => key).filter((key) => /^(node|inst|chk)\//.test(key))).toEqual(['node/db-1']);
  },
);

test('a transaction that removes a node fails when something was put on it through another server meanwhile', async () => {
  const clock = new FakeClock();
  await using store = await MemoryStore.start({ clock });
  await using a = await startTestRegistry({ store, clock, server: 'a' });
  await using b = await startTestRegistry({ store, clock, server: 'b' });
  const node = nodeRecordOf({ name: 'db-1', external: true });
  await a.registry.registerExternal({ node, instance: instanceRecordOf({ service: 'one' }) });
  await b.feed.applied(a.feed.revision);
  const draft = new NodeDrafts(a.catalog, a.feed.revision);
  draft.removeNode('db-1');
  const txn = draft.toTxn();
  await b.registry.registerExternal({ node, instance: instanceRecordOf({ service: 'two' }) });
  expect(await store.commit(txn)).toMatchObject({ ok: false });
});
