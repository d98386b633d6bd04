import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { Store } from './contract.ts';
import { Duties } from './duties.ts';
import type { Duty } from './duty.ts';
import { storeFull } from './errors.ts';
import { MemoryStore } from './memory/memory-store.ts';
import { LeaderlessStore } from './testing-leaderless.ts';

const TTL_MS = 6_000;

/** The clock of servers' processes, which may stand still, and of the store's, which does not. */
class PausableClock extends FakeClock {
  readonly stores = new FakeClock();
  readonly #waiting: (() => void)[] = [];
  isPaused = false;

  override async advance(byMs: number): Promise<void> {
    for (let left = byMs; ; left -= 100) {
      await super.advance(Math.min(left, 100));
      await this.stores.advance(Math.min(left, 100));
      if (left <= 100) return;
    }
  }

  override after(delayMs: number, task: () => void): { cancel: () => void } {
    let isCancelled = false;
    const timer = super.after(delayMs, () => {
      if (isCancelled) return;
      if (this.isPaused) this.#waiting.push(() => (isCancelled ? undefined : task()));
      else task();
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }

  resume(): void {
    this.isPaused = false;
    for (const task of this.#waiting.splice(0)) task();
  }
}

interface World extends AsyncDisposable {
  readonly clock: PausableClock;
  readonly store: MemoryStore;
  readonly lines: Map<string, LeaderlessStore>;
  readonly errors: unknown[];
  serve(name: string): Duties;
}

async function world(): Promise<World> {
  const stack = new AsyncDisposableStack();
  const clock = new PausableClock();
  const store = stack.use(await MemoryStore.start({ clock: clock.stores }));
  const lines = new Map<string, LeaderlessStore>();
  const errors: unknown[] = [];
  const serve = (name: string): Duties => {
    const line = new LeaderlessStore(store);
    lines.set(name, line);
    const report = (error: unknown): number => errors.push(error);
    return stack.use(Duties.start({ store: line, holder: name, ttlMs: TTL_MS, clock, random: () => 0.5, report }));
  };
  return { clock, store, lines, errors, serve, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

async function write(store: Pick<Store, 'commit'>, duty: Duty, value = 'v'): Promise<boolean> {
  const { fence } = duty;
  if (fence === null) return false;
  const outcome = await store.commit({ compares: [fence], writes: [{ type: 'put', key: 'work', value }] });
  return outcome.ok;
}

describe('Duties', () => {
  test('duty() is got by the one server there is, at once', async () => {
    await using one = await world();
    const duty = one.serve('a').duty('reaper');
    await one.clock.advance(0);
    expect(duty.fence).toEqual({ key: 'lead/reaper', modRevision: 1 });
    expect(await write(one.store, duty)).toBe(true);
    expect(one.errors).toEqual([]);
  });

  test('duty() is held by one server, and by the other when that resigns', async () => {
    await using one = await world();
    const a = one.serve('a');
    const first = a.duty('reaper');
    await one.clock.advance(0);
    const b = one.serve('b');
    const second = b.duty('reaper');
    await one.clock.advance(TTL_MS * 3);
    expect([first.fence !== null, second.fence]).toEqual([true, null]);
    expect(b.holder('reaper')).toBe('a');
    await a[Symbol.asyncDispose]();
    expect(first.fence).toBeNull();
    await one.clock.advance(TTL_MS / 10);
    expect(second.fence).not.toBeNull();
    expect(b.holder('reaper')).toBe('b');
  });

  test('duty() tells who listens when it is got and lost', async () => {
    await using one = await world();
    const a = one.serve('a');
    const heard: boolean[] = [];
    const duty = a.duty('reaper');
    const stop = duty.onChange((isHeld) => heard.push(isHeld));
    await one.clock.advance(0);
    one.lines.get('a')?.cut();
    await one.clock.advance(TTL_MS);
    one.lines.get('a')?.cut(false);
    await one.clock.advance(TTL_MS);
    expect(heard).toEqual([false, true, false, true]);
    stop();
    await a[Symbol.asyncDispose]();
    expect(heard).toHaveLength(4);
  });

  test('fence is null two thirds of the TTL after the last renewal was sent, and again what it was after a short cut', async () => {
    await using one = await world();
    const duty = one.serve('a').duty('reaper');
    await one.clock.advance(1);
    const before = duty.fence;
    one.lines.get('a')?.cut();
    await one.clock.advance((TTL_MS * 2) / 3 - 2);
    expect(duty.fence).toEqual(before);
    await one.clock.advance(2);
    expect(duty.fence).toBeNull();
    one.lines.get('a')?.cut(false);
    await one.clock.advance(TTL_MS / 6);
    expect(duty.fence).toEqual(before);
    expect(one.errors).toHaveLength(1);
  });

  test('fence is null in a process that was paused, before any of its timers runs; what it sends then fails as a whole', async () => {
    await using one = await world();
    const duty = one.serve('a').duty('reaper');
    await one.clock.advance(0);
    const stale = duty.fence;
    one.clock.isPaused = true;
    // The store goes on meanwhile: the lease runs out there, and another writes.
    await one.clock.advance(TTL_MS * 2);
    expect(duty.fence).toBeNull();
    const { entries } = await one.store.read({ start: 'lead/', end: 'lead0' });
    for (const { key } of entries) await one.store.commit({ compares: [], writes: [{ type: 'delete', key }] });
    const late = await one.store.commit({
      compares: stale === null ? [] : [stale],
      writes: [
        { type: 'put', key: 'work', value: 'late' },
        { type: 'delete', key: 'other' },
      ],
    });
    expect(late.ok).toBe(false);
    expect((await one.store.read({ start: 'work', end: 'work~' })).entries).toEqual([]);
    one.clock.resume();
    await one.clock.advance(TTL_MS);
    expect(duty.fence?.modRevision).toBeGreaterThan(stale?.modRevision ?? 0);
  });

  test('duty() is got again, with another fence, after a restore took its key', async () => {
    await using one = await world();
    const duty = one.serve('a').duty('reaper');
    await one.clock.advance(0);
    const before = duty.fence;
    await one.store.restore([], 1_000);
    await one.clock.advance(TTL_MS);
    expect(duty.fence).toEqual({ key: 'lead/reaper', modRevision: 1_001 });
    expect(before?.modRevision).toBe(1);
    expect(one.errors).toEqual([]);
  });

  test('duty() is got although it was never heard that the try had succeeded', async () => {
    await using one = await world();
    const { store } = one;
    let lost = 0;
    const forgetful = {
      read: store.read.bind(store),
      watch: store.watch.bind(store),
      lease: store.lease.bind(store),
      status: store.status.bind(store),
      commit: async (txn: Parameters<Store['commit']>[0]): Promise<never> => {
        await store.commit(txn);
        lost++;
        throw new Error('request timed out');
      },
    };
    await using duties = Duties.start({
      store: forgetful,
      holder: 'a',
      ttlMs: TTL_MS,
      clock: one.clock,
      random: () => 0.5,
    });
    const duty = duties.duty('reaper');
    await one.clock.advance(TTL_MS);
    expect(duty.fence).not.toBeNull();
    expect(lost).toBe(1);
  });

  test('duty() is tried for ever less often, and why is said once, while the store takes no writes', async () => {
    await using one = await world();
    const duties = one.serve('a');
    const line = one.lines.get('a') as LeaderlessStore;
    const commit = line.commit.bind(line);
    let tries = 0;
    // A disk that is full: leases go on, and nothing is written.
    line.commit = () => {
      tries++;
      return Promise.reject(storeFull());
    };
    const duty = duties.duty('reaper');
    await one.clock.advance(60_000);
    expect([duty.fence, one.errors.length]).toEqual([null, 1]);
    expect(tries).toBeLessThan(60);
    line.commit = commit;
    await one.clock.advance(3_000);
    expect(duty.fence).not.toBeNull();
  });

  test('duty() is taken over at once from a former run by who has the store for itself, and by nobody else', async () => {
    await using one = await world();
    const lease = await one.store.lease(60_000);
    const value = JSON.stringify({ holder: 'a', lease: lease.id });
    await one.store.commit({ compares: [], writes: [{ type: 'put', key: 'lead/reaper', value, lease }] });
    const other = one.serve('a').duty('reaper');
    await one.clock.advance(TTL_MS);
    expect(other.fence).toBeNull();
    const alone: Store = new Proxy(one.store, {
      get: (target, name) => {
        if (name === 'status') return () => ({ ...target.status(), engine: 'sqlite' });
        const found: unknown = Reflect.get(target, name);
        return typeof found === 'function' ? found.bind(target) : found;
      },
    });
    const options = { store: alone, holder: 'a', ttlMs: TTL_MS, clock: one.clock, random: () => 0.5 };
    await using duties = Duties.start(options);
    const duty = duties.duty('reaper');
    await one.clock.advance(0);
    expect(duty.fence).not.toBeNull();
    // Also when the former lease ends.
    await lease.revoke();
    await one.clock.advance(TTL_MS * 2);
    expect(await write(one.store, duty)).toBe(true);
  });

  test('duties of servers that try at once are spread', async () => {
    await using one = await world();
    const names = ['1', '2', '3', '4', '5', '6'];
    const holder = one.serve('gone');
    for (const name of names) holder.duty(name);
    await one.clock.advance(0);
    const others = ['a', 'b'].map((name) => one.serve(name));
    for (const other of others) for (const name of names) other.duty(name);
    await one.clock.advance(TTL_MS);
    await holder[Symbol.asyncDispose]();
    await one.clock.advance(TTL_MS);
    const held = others.map((other) => names.filter((name) => other.duty(name).fence !== null).length);
    expect(held[0] as number).toBeGreaterThan(0);
    expect((held[0] as number) + (held[1] as number)).toBe(names.length);
  });

  test('at most one server writes effectively under a fence, whatever is cut, and the work goes on afterwards', async () => {
    const step = fc.record({
      act: fc.constantFrom('cut', 'mend', 'write', 'advance', 'stop'),
      server: fc.constantFrom('a', 'b', 'c'),
      ms: fc.integer({ min: 1, max: TTL_MS }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
        await using one = await world();
        const running = new Map(['a', 'b', 'c'].map((name) => [name, one.serve(name)]));
        for (const duties of running.values()) duties.duty('reaper');
        const writers = new Map<number, string>();
        const attempt = async (name: string): Promise<void> => {
          const duty = running.get(name)?.duty('reaper');
          const fence = duty?.fence;
          if (duty === undefined || fence === null || fence === undefined) return;
          // Also over a line that is cut: what was on its way arrives.
          if (!(await write(one.store, duty, name))) return;
          expect(writers.get(fence.modRevision) ?? name).toBe(name);
          writers.set(fence.modRevision, name);
        };
        for (const { act, server, ms } of steps) {
          if (act === 'cut') one.lines.get(server)?.cut();
          else if (act === 'mend') one.lines.get(server)?.cut(false);
          else if (act === 'write') await attempt(server);
          else if (act === 'advance') await one.clock.advance(ms);
          else if (running.size > 1) {
            await running.get(server)?.[Symbol.asyncDispose]();
            running.delete(server);
          }
          const held = [...running.values()].filter((one) => one.duty('reaper').fence !== null);
          expect(held.length).toBeLessThanOrEqual(1);
        }
        for (const line of one.lines.values()) line.cut(false);
        await one.clock.advance(TTL_MS * 3);
        const held = [...running.values()].filter((one) => one.duty('reaper').fence !== null);
        expect(held).toHaveLength(1);
      }),
      { numRuns: 40 },
    );
  });
});
