import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { checkRecordOf, nodeRecordOf, startTestRegistry, type TestRegistry } from '../registry/testing.ts';
import type { CheckRecord } from '../registry/index.ts';
import { MemoryStore, prefixRange, type Store } from '../store/index.ts';
import { CheckHistory } from './check-history.ts';

type Status = CheckRecord['status'];

interface Fixture extends AsyncDisposable {
  readonly clock: FakeClock;
  readonly store: Store;
  readonly region: TestRegistry;
  readonly history: CheckHistory;
  /** Commits since the last time this was asked. */
  commits(): number;
  say(check: string, status: Status, output?: string): Promise<number>;
}

async function start(given?: Store, keepMs = 60_000): Promise<Fixture> {
  const clock = new FakeClock();
  const store = given ?? (await MemoryStore.start({ clock, base: 1 }));
  let count = 0;
  const counting: Pick<Store, 'read' | 'commit'> = {
    read: (range, options) => store.read(range, options),
    commit: (txn) => {
      count++;
      return store.commit(txn);
    },
  };
  const errors: unknown[] = [];
  const history = new CheckHistory({ store: counting, keepMs, clock, report: (error) => errors.push(error) });
  const region = await startTestRegistry({ store, clock, projections: [history] });
  await region.registry.syncNode({ node: nodeRecordOf({ name: 'n1' }), instances: [], checks: [] });
  return {
    clock,
    store,
    region,
    history,
    commits: () => [count, (count = 0)][0] as number,
    say: (id, status, output = '') =>
      region.registry.report('n1', [
        { type: 'check', check: checkRecordOf({ id, status, output, since: new Date(clock.wall()).toISOString() }) },
      ]),
    async [Symbol.asyncDispose]() {
      await region[Symbol.asyncDispose]();
      await history[Symbol.asyncDispose]();
      expect([region.errors, errors]).toEqual([[], []]);
    },
  };
}

const words = async (history: CheckHistory, check = 'c'): Promise<string[]> =>
  (await history.of('n1', check)).map(({ n, from, status }) => `${n} ${from} ${status}`);

const slots = async (store: Store): Promise<number> => (await store.read(prefixRange('chkhist/'))).entries.length;

describe('CheckHistory', () => {
  test('CheckHistory.of() has transitions at once, and writes nothing with them', async () => {
    await using fixture = await start();
    await fixture.say('c', 'passing');
    await fixture.say('c', 'passing', 'other output');
    const revision = await fixture.say('c', 'critical', 'down');
    expect(await fixture.history.of('n1', 'c')).toEqual([
      { n: 0, revision, from: 'passing', status: 'critical', output: 'down', at: '2026-01-01T00:00:00.000Z' },
    ]);
    expect([fixture.commits(), await slots(fixture.store)]).toEqual([0, 0]);
  });

  test('CheckHistory writes at most one transaction a second, however many checks flap', async () => {
    await using fixture = await start();
    const checks = Array.from({ length: 20 }, (_, at) => `c${at}`);
    for (const check of checks) await fixture.say(check, 'passing');
    for (let second = 0; second < 5; second++) {
      for (let flap = 0; flap < 4; flap++)
        for (const check of checks) await fixture.say(check, flap % 2 === 0 ? 'critical' : 'passing');
      await fixture.clock.advance(1_000);
    }
    expect(fixture.commits()).toBeLessThanOrEqual(5);
    await fixture.clock.advance(10_000);
    expect(await slots(fixture.store)).toBe(20 * 20);
    expect(fixture.commits()).toBeLessThanOrEqual(10);
  });

  test('CheckHistory keeps fifty, and knows them after a restart', async () => {
    await using store = await MemoryStore.start({ base: 1 });
    {
      await using fixture = await start(store);
      for (let n = 0; n < 61; n++) await fixture.say('c', n % 2 === 0 ? 'passing' : 'critical');
      expect(await words(fixture.history)).toHaveLength(50);
    }
    await using again = await start(store);
    const found = await words(again.history);
    expect([found.length, found[0], found.at(-1)]).toEqual([50, '59 critical passing', '10 passing critical']);
    await again.say('c', 'warning');
    expect((await words(again.history))[0]).toBe('60 passing warning');
  });

  test('CheckHistory takes what was not written when the server died from the record of the check', async () => {
    await using store = await MemoryStore.start({ base: 1 });
    const lost = await start(store);
    await lost.say('c', 'passing');
    await lost.say('c', 'critical', 'first');
    await lost.clock.advance(1_000);
    const revision = await lost.say('c', 'passing', 'second');
    await lost.region[Symbol.asyncDispose]();
    await using again = await start(store);
    expect(await again.history.of('n1', 'c')).toMatchObject([
      { n: 1, revision, from: 'critical', status: 'passing', output: 'second' },
      { n: 0, status: 'critical', output: 'first' },
    ]);
  });

  test('CheckHistory outlives a check that comes back, goes with its node, and after its time', async () => {
    await using fixture = await start(undefined, 60_000);
    const flap = async (check: string): Promise<void> => {
      for (const status of ['passing', 'critical'] as const) await fixture.say(check, status);
    };
    await flap('c');
    await flap('d');
    const gone = (id: string) => fixture.region.registry.report('n1', [{ type: 'check-gone', id }]);
    await gone('c');
    await gone('d');
    await fixture.clock.advance(30_000);
    await fixture.say('c', 'passing');
    expect(await words(fixture.history)).toEqual(['1 critical passing', '0 passing critical']);
    await fixture.clock.advance(40_000);
    expect(await fixture.history.expire()).toBe(1);
    expect([await words(fixture.history, 'd'), await slots(fixture.store)]).toEqual([[], 2]);
    await fixture.region.registry.deregister({ node: 'n1' });
    await fixture.clock.advance(1_000);
    expect([await words(fixture.history), await slots(fixture.store)]).toEqual([[], 0]);
  });

  test('CheckHistory cuts output to 1 KB without half a character', async () => {
    await using fixture = await start();
    await fixture.say('c', 'passing');
    await fixture.say('c', 'critical', 'ü'.repeat(2_000));
    const [one] = await fixture.history.of('n1', 'c');
    expect(one?.output).toMatch(/^ü+…$/);
    expect(Buffer.byteLength(one?.output ?? '')).toBeLessThanOrEqual(1_024);
  });

  test('CheckHistory.of() is what a plain list of transitions says, whatever is written when', async () => {
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom('passing', 'warning', 'critical') },
      { weight: 1, arbitrary: fc.constant('wait') },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 80 }), async (steps) => {
        await using fixture = await start();
        const expected: string[] = [];
        let status = 'passing';
        await fixture.say('c', 'passing');
        for (const one of steps) {
          if (one === 'wait') await fixture.clock.advance(1_000);
          else {
            await fixture.say('c', one as Status);
            if (one !== status) expected.push(`${expected.length} ${status} ${one}`);
            status = one;
          }
        }
        expect(await words(fixture.history)).toEqual(expected.toReversed().slice(0, 50));
      }),
      { numRuns: 15 },
    );
  });
});
