import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { MemoryStore, prefixRange, UNFENCED, type Fence } from '../store/index.ts';
import { DEPLOYMENTS, DeploymentReaper } from './deployment-reaper.ts';

/** A store with so many deployments of each group, in turns. */
async function start(
  stack: AsyncDisposableStack,
  groups: readonly (string | null)[],
  each: number,
  fence: Fence = UNFENCED,
) {
  const clock = new FakeClock();
  const store = stack.use(await MemoryStore.start({ clock, base: 1 }));
  const put = (key: string, value: string) => store.commit({ compares: [], writes: [{ type: 'put', key, value }] });
  for (let at = 0; at < each; at++)
    for (const group of groups) await put(`${DEPLOYMENTS}${group}-${at}`, JSON.stringify({ group }));
  const errors: unknown[] = [];
  const report = (error: unknown): number => errors.push(error);
  const reaper = stack.use(DeploymentReaper.start({ store, fence, keep: 2, clock, report }));
  const left = async (): Promise<string[]> =>
    (await store.read(prefixRange(DEPLOYMENTS))).entries.map(({ key }) => key.slice(DEPLOYMENTS.length));
  return { clock, store, put, reaper, left, errors };
}

test('DeploymentReaper keeps the latest of each group, by when they were written last', async () => {
  await using stack = new AsyncDisposableStack();
  const { put, reaper, left } = await start(stack, ['web', null], 4);
  await put(`${DEPLOYMENTS}web-0`, JSON.stringify({ group: 'web' }));
  expect(await reaper.reap()).toBe(4);
  expect(await left()).toEqual(['null-2', 'null-3', 'web-0', 'web-3']);
  expect(await reaper.reap()).toBe(0);
});

test('DeploymentReaper looks by itself, in more than one transaction, also at what nobody can read', async () => {
  await using stack = new AsyncDisposableStack();
  const { clock, put, left, errors } = await start(stack, ['web'], 250);
  for (const at of [1, 2, 3]) await put(`${DEPLOYMENTS}bad-${at}`, 'not JSON');
  await clock.advance(300_000);
  expect(await left()).toEqual(['bad-2', 'bad-3', 'web-248', 'web-249']);
  expect(errors).toEqual([]);
});

test('DeploymentReaper does nothing without the duty, or once another has it', async () => {
  await using stack = new AsyncDisposableStack();
  let fence: ReturnType<Fence> = null;
  const { reaper, left, put } = await start(stack, ['web'], 4, () => fence);
  expect(await reaper.reap()).toBe(0);
  await put('lead/deployments', 'another');
  fence = { key: 'lead/deployments', modRevision: 1 };
  expect(await reaper.reap()).toBe(0);
  expect(await left()).toHaveLength(4);
});
