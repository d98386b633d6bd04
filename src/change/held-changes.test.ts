import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { NodeView } from '../registry/index.ts';
import { checkRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { CheckStatus } from '../registry/index.ts';
import { Changes } from './changes.ts';

const check = (status: CheckStatus) => checkRecordOf({ id: 'c', serviceId: 'api', status, since: status });

/** A node whose balancer sends to an instance of another's. */
async function start(stack: AsyncDisposableStack) {
  const clock = new FakeClock({ nowMs: 1_000 });
  const region = stack.use(
    await startTestRegistry({
      clock,
      nodes: [
        { name: 'staging', runs: ['app'], balancer: { address: '127.0.0.1' }, consumers: ['balancer'] },
        { name: 'n1', services: [{ service: 'api', port: 1_100, checks: { c: 'passing' } }] },
        { name: 'n2', services: [{ service: 'api', port: 1_100, checks: { c: 'passing' } }] },
      ],
      definitions: [
        { id: 'app', requires: { API_URL: '{API_URL}' } },
        { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1_100 },
      ],
    }),
  );
  const { feed, catalog, registry } = region;
  const changes = stack.use(await Changes.start({ feed, catalog, clock }));
  const views: NodeView[] = [];
  changes.onView((view) => views.push(view));
  return {
    feed,
    changes,
    views,
    hold: (status: CheckStatus) => feed.hold((change) => catalog.hold('n1', [check(status)], change)),
    write: (status: CheckStatus) => registry.report('n1', [{ type: 'check', check: check(status) }]),
  };
}

/** What a view says of the instance whose check the tests change. */
const text = (view: NodeView | undefined): string => JSON.stringify({ ...view, revision: 0 });

describe('Changes of what is held', () => {
  test('nodes of this server see it under the revision there is, and nobody owes a receipt', async () => {
    await using stack = new AsyncDisposableStack();
    const { feed, changes, views, hold } = await start(stack);
    const before = changes.view('staging');
    const { revision } = feed;
    hold('critical');
    expect(views).toHaveLength(1);
    expect(text(views[0])).not.toBe(text(before));
    expect([feed.revision, changes.revision, changes.latest(10)]).toEqual([revision, revision, []]);
  });

  test('the revision that writes it is owed by nodes that have seen it, and they get it once more', async () => {
    await using stack = new AsyncDisposableStack();
    const { changes, views, hold, write } = await start(stack);
    hold('critical');
    const revision = await write('critical');
    expect(changes.trace(revision).consumers).toMatchObject([{ node: 'staging', kind: 'balancer', state: 'late' }]);
    expect(views.map((view) => view.revision).at(-1)).toBe(revision);
    changes.receipt({ node: 'staging', kind: 'balancer', revision, outcome: 'unchanged' });
    expect(changes.converged(revision)).toBe(true);
  });

  test('what is as it was again is seen, and leaves nothing', async () => {
    await using stack = new AsyncDisposableStack();
    const { changes, views, hold, write } = await start(stack);
    const before = text(changes.view('staging'));
    hold('critical');
    hold('passing');
    expect(views.map(text)).toEqual([expect.any(String), before]);
    const revision = await write('critical');
    expect(changes.trace(revision).consumers).toHaveLength(1);
  });
});
