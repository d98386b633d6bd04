import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { RegionLiteral, TestRegistry } from '../registry/testing.ts';
import { Changes, type ChangesOptions } from './changes.ts';
import { HistoryAuthors } from './history-authors.ts';
import type { ChangeEvent } from './event-stream.ts';
import type { Outcome } from './receipt.ts';
import type { Standing } from './standing.ts';

const KINDS = ['environment', 'balancer', 'listener'] as const;
const REGION: RegionLiteral = {
  nodes: [{ name: 'staging', runs: ['app-www'], balancer: { address: '127.0.0.1' }, consumers: KINDS }],
  definitions: [
    { id: 'app-www', requires: { API_URL: '{API_URL}', DB: '{DB}' } },
    { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 },
  ],
  datastores: { DB: 'mysql://db1' },
};

interface Fixture extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly region: TestRegistry;
  readonly changes: Changes;
  setDatabase(value: string, author?: string): Promise<number>;
  scaleApi(node: string): Promise<number>;
  say(kind: (typeof KINDS)[number], revision: number, outcome?: Outcome, reason?: string): void;
}

async function start(options: Pick<ChangesOptions, 'limits' | 'others'> = {}): Promise<Fixture> {
  const clock = new FakeClock({ nowMs: 1_000 });
  const region = await startTestRegistry({ ...REGION, clock, projections: [new HistoryAuthors()] });
  const { feed, catalog, registry } = region;
  const changes = await Changes.start({ feed, catalog, clock, ...options });
  return {
    clock,
    region,
    changes,
    setDatabase: (value, author = 'somebody') => registry.setDatastore('default', '-', 'DB', value, { author }),
    scaleApi: (name) =>
      registry.registerExternal({
        node: nodeRecordOf({ name, address: '127.0.0.9' }),
        instance: instanceRecordOf({ service: 'api', port: 1100 }),
      }),
    say: (kind, revision, outcome = 'applied', reason) =>
      changes.receipt({ node: 'staging', kind, revision, outcome, ...(reason === undefined ? {} : { reason }) }),
    async [Symbol.asyncDispose]() {
      await changes[Symbol.asyncDispose]();
      await region[Symbol.asyncDispose]();
      expect(region.errors).toEqual([]);
    },
  };
}

const states = (changes: Changes, revision: number): string[] =>
  changes.trace(revision).consumers.map((one) => `${one.kind} ${one.node} ${one.state}`);

describe('Changes.trace()', () => {
  test('Changes.trace() lists environment and listener of the nodes that require a changed datastore, and nobody else', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('mysql://db2');
    expect(fixture.changes.trace(revision)).toEqual({
      revision,
      at: '2026-01-01T00:00:00.000Z',
      summary: ['datastore DB'],
      author: 'somebody',
      consumers: [
        { node: 'staging', kind: 'environment', state: 'late' },
        { node: 'staging', kind: 'listener', state: 'late' },
      ],
      arrived: 0,
      of: 2,
      converged: false,
    });
  });

  test('Changes.trace() lists balancers and dns when an instance of a provider is new', async () => {
    await using fixture = await start();
    fixture.changes.addServerConsumer({ node: 'server-1', kind: 'dns', take: () => 'applied' });
    const revision = await fixture.scaleApi('api-1');
    expect(states(fixture.changes, revision)).toEqual(['balancer staging late', 'dns server-1 arrived']);
  });

  test('Changes.trace() shows what arrived with the time it took, and the rest as late', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('mysql://db2');
    await fixture.clock.advance(4);
    fixture.say('environment', revision);
    expect(fixture.changes.trace(revision)).toMatchObject({
      consumers: [{ state: 'arrived', outcome: 'applied', tookMs: 4 }, { state: 'late' }],
      arrived: 1,
      of: 2,
    });
  });

  test.each(['held', 'failed', 'refused'] as const)(
    'Changes.trace() names the reason when a consumer is %s',
    async (state) => {
      await using fixture = await start();
      const revision = await fixture.setDatabase('mysql://db2');
      const retryAt = '2026-01-01T00:10:00.000Z';
      fixture.changes.receipt({ node: 'staging', kind: 'listener', revision, outcome: state, reason: 'off', retryAt });
      expect(fixture.changes.trace(revision).consumers[1]).toEqual({
        node: 'staging',
        kind: 'listener',
        state,
        outcome: state,
        reason: 'off',
        retryAt,
      });
    },
  );

  test('Changes.trace() waits for no one on a node that is down', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('mysql://db2');
    fixture.say('environment', revision);
    await fixture.region.registry.setAlive('staging', { status: 'down', since: '2026-01-01T00:00:00.000Z' });
    expect(fixture.changes.trace(revision)).toMatchObject({
      consumers: [{ state: 'arrived' }, { state: 'late', down: true, reason: 'node staging is down' }],
      arrived: 1,
      of: 1,
      converged: true,
    });
  });

  test('Changes.trace() leaves out consumers that are gone', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('mysql://db2');
    await fixture.region.registry.deregister({ node: 'staging' });
    expect(fixture.changes.trace(revision)).toMatchObject({ consumers: [], of: 0, converged: true });
  });

  test('Changes.trace() names the author that history names, and nobody where it names none', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('mysql://db2', 'token "jose"');
    expect(fixture.changes.trace(revision).author).toBe('token "jose"');
    expect(fixture.changes.trace(await fixture.scaleApi('other'))).not.toHaveProperty('author');
  });

  test('Changes.trace() refuses a revision that is older than the start, or that does not exist yet', async () => {
    await using fixture = await start();
    const { revision } = fixture.changes;
    for (const unknown of [revision, revision + 1, 0])
      expect(() => fixture.changes.trace(unknown)).toThrow(
        expect.objectContaining({ code: 'CHANGE_UNKNOWN_REVISION', status: 404 }),
      );
  });

  test('Changes.trace() refuses a revision that was let go', async () => {
    await using fixture = await start({ limits: { maxAgeMs: 60_000, maxChanges: 2, maxConsumers: 100 } });
    const first = await fixture.setDatabase('a');
    await fixture.setDatabase('b');
    await fixture.setDatabase('c');
    expect(() => fixture.changes.trace(first)).toThrow('nothing is known of revision');
  });
});

describe('Changes.receipt()', () => {
  test('Changes.receipt() is never early: it counts for no later revision', async () => {
    await using fixture = await start();
    const first = await fixture.setDatabase('a');
    const second = await fixture.setDatabase('b');
    fixture.say('environment', first);
    expect(states(fixture.changes, first)[0]).toBe('environment staging arrived');
    expect(states(fixture.changes, second)[0]).toBe('environment staging late');
  });

  test('Changes.receipt() counts up to what is known when it claims a later revision', async () => {
    await using fixture = await start();
    const first = await fixture.setDatabase('a');
    fixture.say('environment', first + 100);
    const second = await fixture.setDatabase('b');
    expect(states(fixture.changes, first)[0]).toBe('environment staging arrived');
    expect(states(fixture.changes, second)[0]).toBe('environment staging late');
  });

  test('Changes.receipt() of a later revision covers the earlier ones', async () => {
    await using fixture = await start();
    const first = await fixture.setDatabase('a');
    const second = await fixture.setDatabase('b');
    for (const kind of KINDS) fixture.say(kind, second, 'unchanged');
    expect(fixture.changes.converged(first)).toBe(true);
    expect(fixture.changes.converged(second)).toBe(true);
  });
});

describe('Changes.converged()', () => {
  test('Changes.converged() counts provisions unless told otherwise', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('a');
    fixture.say('environment', revision);
    expect(fixture.changes.converged(revision)).toBe(false);
    expect(fixture.changes.converged(revision, { provisions: false })).toBe(true);
  });

  test('Changes.converged() is true for a revision that concerns nobody', async () => {
    await using fixture = await start();
    expect(fixture.changes.converged(await fixture.region.registry.setDatastore('default', '-', 'X', 'x'))).toBe(true);
  });
});

describe('Changes.waitConverged()', () => {
  const wait = { timeoutMs: 3_000, provisions: false };

  test('Changes.waitConverged() ends when everyone has it', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('a');
    const waiting = fixture.changes.waitConverged(revision, wait);
    fixture.say('environment', revision);
    expect(await waiting).toEqual({ converged: true, pending: [] });
    expect(fixture.clock.pending).toBe(0);
  });

  test('Changes.waitConverged() names exactly who is late when the time is up', async () => {
    await using fixture = await start();
    const revision = await fixture.scaleApi('api-1');
    const waiting = fixture.changes.waitConverged(revision, wait);
    await fixture.clock.advance(3_000);
    expect(await waiting).toEqual({
      converged: false,
      pending: [{ node: 'staging', kind: 'balancer', state: 'late' }],
    });
    fixture.say('balancer', revision);
    expect(fixture.changes.converged(revision)).toBe(true);
  });

  test.each(['held', 'failed', 'refused'] as const)(
    'Changes.waitConverged() ends at once when somebody is %s',
    async (state) => {
      await using fixture = await start();
      const revision = await fixture.setDatabase('a');
      const waiting = fixture.changes.waitConverged(revision, wait);
      fixture.say('environment', revision, state, 'no rights');
      expect(await waiting).toMatchObject({
        converged: false,
        pending: [{ kind: 'environment', state, reason: 'no rights' }],
      });
    },
  );

  test('Changes.waitConverged() passes a held listener by unless provisions count', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('a');
    fixture.say('environment', revision);
    fixture.say('listener', revision, 'held', 'listener is off');
    expect(await fixture.changes.waitConverged(revision, wait)).toEqual({ converged: true, pending: [] });
    const withProvisions = await fixture.changes.waitConverged(revision, { ...wait, provisions: true });
    expect(withProvisions).toMatchObject({ converged: false, pending: [{ kind: 'listener', state: 'held' }] });
  });

  test('Changes.waitConverged() ends when the node that was late goes down', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('a');
    const waiting = fixture.changes.waitConverged(revision, wait);
    await fixture.region.registry.setAlive('staging', { status: 'down', since: '2026-01-01T00:00:00.000Z' });
    expect((await waiting).converged).toBe(true);
  });

  test('Changes.waitConverged() waits for a revision that is yet to come', async () => {
    await using fixture = await start();
    const next = fixture.changes.revision + 1;
    const waiting = fixture.changes.waitConverged(next, wait);
    expect(await fixture.setDatabase('a')).toBe(next);
    fixture.say('environment', next);
    expect((await waiting).converged).toBe(true);
  });

  test('Changes.waitConverged() gives a revision up that does not come in time', async () => {
    await using fixture = await start();
    const waiting = fixture.changes.waitConverged(10_000, wait);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'CHANGE_UNKNOWN_REVISION' });
    await fixture.clock.advance(3_000);
    await refused;
  });

  test('Changes.waitConverged() says that it does not know when the change is let go meanwhile', async () => {
    await using fixture = await start({ limits: { maxAgeMs: 60_000, maxChanges: 2, maxConsumers: 100 } });
    const waiting = fixture.changes.waitConverged(await fixture.setDatabase('a'), wait);
    const refused = expect(waiting).rejects.toMatchObject({ code: 'CHANGE_UNKNOWN_REVISION' });
    await fixture.setDatabase('b');
    await fixture.setDatabase('c');
    await refused;
  });

  test('Changes.waitConverged() rejects with the signal’s reason when it is aborted', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('a');
    const abort = new AbortController();
    const waiting = fixture.changes.waitConverged(revision, { ...wait, signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    expect(fixture.clock.pending).toBe(0);
  });
});

describe('Changes.events()', () => {
  test('Changes.events() tells of a change, its receipts and its arrival, once each', async () => {
    await using fixture = await start();
    const events = collect(fixture.changes.events(undefined, AbortSignal.timeout(5_000)), 4);
    const revision = await fixture.setDatabase('a');
    await fixture.clock.advance(7);
    fixture.say('environment', revision);
    fixture.say('listener', revision);
    fixture.say('listener', revision);
    expect(await events).toMatchObject([
      { type: 'change', revision, summary: ['datastore DB'], of: 2 },
      { type: 'receipt', receipt: { kind: 'environment' }, settled: [{ revision, tookMs: 7 }] },
      { type: 'receipt', receipt: { kind: 'listener' }, settled: [{ revision, tookMs: 7 }] },
      { type: 'arrived', revision, of: 2, tookMs: 7 },
    ]);
  });

  test('Changes.events() resumes after a revision, and tells where there is a gap', async () => {
    await using fixture = await start();
    const begin = fixture.changes.revision;
    const first = await fixture.setDatabase('a');
    for (const kind of KINDS) fixture.say(kind, first);
    const second = await fixture.setDatabase('b');
    expect(await collect(fixture.changes.events(begin, AbortSignal.timeout(5_000)), 3)).toMatchObject([
      { type: 'change', revision: first },
      { type: 'arrived', revision: first },
      { type: 'change', revision: second },
    ]);
    expect(await collect(fixture.changes.events(begin - 5, AbortSignal.timeout(5_000)), 1)).toEqual([
      { type: 'gap', after: begin - 5, before: begin + 1 },
    ]);
  });

  test('Changes.events() tells of trouble, though it settles nothing', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('a');
    const events = collect(fixture.changes.events(undefined, AbortSignal.timeout(5_000)), 1);
    fixture.say('listener', revision, 'held', 'off');
    expect(await events).toMatchObject([{ type: 'receipt', receipt: { outcome: 'held', reason: 'off' }, settled: [] }]);
  });
});

describe('Changes', () => {
  test('Changes.onView() is called with each view that became another, in the turn of its revision', async () => {
    await using fixture = await start();
    const views: [number, string][] = [];
    fixture.changes.onView((view) => views.push([view.revision, view.node]));
    const revision = await fixture.setDatabase('a');
    await fixture.region.registry.setDatastore('default', '-', 'X', 'x');
    expect(views).toEqual([[revision, 'staging']]);
  });

  test('Changes calls a server consumer in the turn of each change that DNS can see, and of no other', async () => {
    await using fixture = await start();
    const taken: number[] = [];
    const remove = fixture.changes.addServerConsumer({
      node: 'server-1',
      kind: 'dns',
      take: ({ revision }) => (taken.push(revision), null),
    });
    await fixture.setDatabase('a');
    const revision = await fixture.scaleApi('api-1');
    expect(taken).toEqual([revision]);
    expect(states(fixture.changes, revision)).toContain('dns server-1 late');
    fixture.changes.receipt({ node: 'server-1', kind: 'dns', revision, outcome: 'applied' });
    expect(states(fixture.changes, revision)).toContain('dns server-1 arrived');
    remove();
    await fixture.scaleApi('api-2');
    expect(taken).toHaveLength(1);
  });

  test('Changes goes on when a server consumer throws, and says that it failed', async () => {
    await using fixture = await start();
    const take = (): never => {
      throw new Error('cache is broken');
    };
    fixture.changes.addServerConsumer({ node: 'server-1', kind: 'dns', take });
    const revision = await fixture.scaleApi('api-1');
    const [, dns] = fixture.changes.trace(revision).consumers;
    expect(dns).toMatchObject({ kind: 'dns', state: 'failed', reason: 'cache is broken' });
  });

  test('Changes.late() names who owes what for how long, the longest first, and figures() how long arrivals took', async () => {
    await using fixture = await start();
    const first = await fixture.setDatabase('a');
    await fixture.clock.advance(100);
    const second = await fixture.scaleApi('api-1');
    fixture.say('environment', first);
    expect(fixture.changes.late()).toEqual([
      { node: 'staging', kind: 'listener', revision: first, forMs: 100 },
      { node: 'staging', kind: 'balancer', revision: second, forMs: 0 },
    ]);
    expect(fixture.changes.figures().get('environment')).toEqual({ count: 1, p50Ms: 100, p99Ms: 100, lastMs: 100 });
  });

  test('Changes.latest() gives the newest traces first', async () => {
    await using fixture = await start();
    const revisions = [await fixture.setDatabase('a'), await fixture.setDatabase('b')];
    expect(fixture.changes.latest(5).map((trace) => trace.revision)).toEqual(revisions.toReversed());
  });
});

async function collect(events: AsyncIterable<ChangeEvent>, count: number): Promise<ChangeEvent[]> {
  const taken: ChangeEvent[] = [];
  for await (const event of events) if (taken.push(event) === count) break;
  return taken;
}

describe('Changes.hear()', () => {
  const standing = (revision: number): Standing => ({
    node: 'staging',
    kind: 'environment',
    applied: revision,
    outcome: 'applied',
    took: [[revision, 7]],
    trouble: null,
  });

  test('Changes.hear() keeps a word for a revision that is yet to come, and counts it when it comes', async () => {
    await using fixture = await start();
    const next = fixture.changes.revision + 1;
    fixture.changes.hear('s2', [standing(next)]);
    fixture.say('listener', next);
    const revision = await fixture.setDatabase('mysql://db2');
    expect(revision).toBe(next);
    expect(fixture.changes.trace(revision).consumers).toEqual([
      { node: 'staging', kind: 'environment', state: 'arrived', outcome: 'applied', tookMs: 7, via: 's2' },
      { node: 'staging', kind: 'listener', state: 'late' },
    ]);
    expect(fixture.changes.figures().get('environment')).toMatchObject({ count: 1, lastMs: 7 });
    const later = await fixture.setDatabase('mysql://db3');
    expect(states(fixture.changes, later)).toContain('environment staging late');
  });

  test('Changes.hear() wakes those who wait, and tells the stream how long it took there', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('mysql://db2');
    const waiting = fixture.changes.waitConverged(revision, { timeoutMs: 1_000, provisions: false });
    fixture.changes.hear('s2', [standing(revision)]);
    await expect(waiting).resolves.toMatchObject({ converged: true });
    expect(fixture.changes.late()).toMatchObject([{ kind: 'listener' }]);
  });

  test('Changes.standings() has what was heard of a revision or later, and nobody who said nothing', async () => {
    await using fixture = await start();
    const revision = await fixture.setDatabase('mysql://db2');
    expect([...fixture.changes.standings(0)]).toEqual([]);
    fixture.say('environment', revision);
    fixture.say('listener', revision, 'failed', 'exit 1');
    expect([...fixture.changes.standings(revision)]).toEqual([
      { ...standing(revision), took: [] },
      expect.objectContaining({ kind: 'listener', applied: 0, trouble: expect.objectContaining({ reason: 'exit 1' }) }),
    ]);
    expect([...fixture.changes.standings(revision + 1)]).toEqual([]);
  });
});

test('Changes.converged() knows nothing of revisions that came all at once while there were other servers', async () => {
  await using fixture = await start();
  await fixture.setDatabase('mysql://db2');
  const { store, feed } = fixture.region;
  fixture.changes.followOthers([{ node: 's2', kind: 'dns' }]);
  const { entries } = await store.read({ start: '', end: '\u{100}' });
  const [before, upTo] = [feed.revision, feed.revision + 5];
  await store.restore(
    entries.map((entry) => ({ ...entry, createRevision: before + 2, modRevision: before + 2 })),
    upTo,
  );
  await feed.applied(upTo);
  expect(() => fixture.changes.converged(before + 1)).toThrow('nothing is known of revision');
  expect(() => fixture.changes.converged(upTo)).toThrow('nothing is known of revision');
  const next = await fixture.setDatabase('mysql://db3');
  expect(fixture.changes.converged(next)).toBe(false);
});

test('Changes.converged() waits for servers that ran before this one, from its first revision on', async () => {
  await using fixture = await start({ others: [{ node: 's2', kind: 'dns' }] });
  const revision = await fixture.scaleApi('s3');
  fixture.say('balancer', revision);
  expect(states(fixture.changes, revision)).toEqual(['balancer staging arrived', 'dns s2 late']);
  expect(fixture.changes.converged(revision)).toBe(false);
  fixture.changes.hear('s2', [
    { node: 's2', kind: 'dns', applied: revision, outcome: 'applied', took: [], trouble: null },
  ]);
  expect(fixture.changes.converged(revision)).toBe(true);
});
