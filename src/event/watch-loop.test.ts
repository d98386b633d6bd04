import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { ApiAnswer, Ask } from './ask.ts';
import { NOTHING_HANDED_OVER, type WatchState } from './decide-run.ts';
import type { HandlerResult } from './handler.ts';
import type { SavedWatch } from './saved-watch.ts';
import { WatchLoop } from './watch-loop.ts';
import type { WatchDefinition, WatchType } from './watch.ts';

/** A region of one value with Consul's blocking semantics, and a disk that outlives the watch. */
class World {
  readonly clock = new FakeClock();
  readonly given: unknown[] = [];
  readonly logged: string[] = [];
  value: unknown = 'first';
  /** Of the list, and the revision that the server stands at. */
  index = 2;
  saved: WatchState = NOTHING_HANDED_OVER;
  /** How the next runs end; well when there is nothing. */
  readonly endings: ('fail' | 'hang')[] = [];
  unreachable = false;
  #waiting: (() => void)[] = [];
  #loop: WatchLoop | null = null;
  readonly type: WatchType;

  constructor(type: WatchType = 'nodes') {
    this.type = type;
  }

  set(value: unknown): void {
    this.value = value;
    this.index++;
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async start(): Promise<void> {
    this.#loop = await WatchLoop.start({
      watch: definition(this.type),
      ask: this.#ask,
      saved: this.#disk(),
      runHandler: (_handler, { input }, signal) => this.#run(JSON.parse(input), signal),
      clock: this.clock,
      log: { info: () => undefined, warn: (_fields, text) => void this.logged.push(text) },
    });
    await this.clock.advance(1);
  }

  /** As a stop does it; a handler that hangs is stopped. */
  async stop(): Promise<void> {
    const stopping = this.#loop?.[Symbol.asyncDispose]();
    await this.clock.advance(5_000);
    await stopping;
    this.#loop = null;
  }

  #disk(): SavedWatch {
    return {
      load: () => Promise.resolve(this.saved),
      save: (state) => {
        this.saved = structuredClone(state);
      },
      settled: () => Promise.resolve(),
    };
  }

  #run(value: unknown, signal: AbortSignal): Promise<HandlerResult> {
    const ending = this.endings.shift();
    const result = { ok: ending === undefined, ending: ending ?? 'exit 0', output: '', durationMs: 0 };
    if (ending === undefined) this.given.push(value);
    if (ending !== 'hang') return Promise.resolve(result);
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(result), { once: true }));
  }

  readonly #ask: Ask = async (path, signal): Promise<ApiAnswer> => {
    if (this.unreachable) throw new Error('nobody');
    const asked = /index=(\d+)/.exec(path)?.[1];
    if (asked !== undefined && Number(asked) >= this.index) await this.#changed(signal);
    const status = this.value === undefined ? 404 : 200;
    return { status, body: JSON.stringify(this.value ?? null), index: String(this.index), revision: this.index + 10 };
  };

  #changed(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }
}

function definition(type: WatchType): WatchDefinition {
  const path = type === 'event' ? '/v1/event/list' : '/v1/catalog/nodes';
  const handler = { type: 'script', args: ['x'], shell: null, cwd: '/', timeoutMs: 1 } as const;
  return { query: { type, path, title: type }, handler, token: null };
}

describe('WatchLoop', () => {
  test('WatchLoop runs once at the start, then only for another content, also after a restart', async () => {
    const world = new World();
    await world.start();
    world.set('first');
    await world.clock.advance(10);
    world.set('second');
    await world.clock.advance(10);
    await world.stop();
    await world.start();
    expect(world.given).toEqual(['first', 'second']);
    await world.stop();
    world.set('third');
    await world.start();
    await world.stop();
    expect(world.given).toEqual(['first', 'second', 'third']);
  });

  test('WatchLoop does not take an index that rose for another content', async () => {
    const world = new World();
    world.value = [{ Key: 'a', Value: 'x', CreateIndex: 1, ModifyIndex: 1, LockIndex: 0 }];
    await world.start();
    world.set([{ Key: 'a', Value: 'x', CreateIndex: 9, ModifyIndex: 9, LockIndex: 3 }]);
    await world.clock.advance(10);
    world.set([{ Key: 'a', Value: 'x', Session: 's', CreateIndex: 9, ModifyIndex: 10, LockIndex: 4 }]);
    await world.clock.advance(10);
    expect(world.given).toHaveLength(2);
    await world.stop();
  });

  test('WatchLoop tries a failed run again, ever later, with the newest state', async () => {
    const world = new World();
    world.endings.push('fail', 'fail', 'fail');
    await world.start();
    await world.clock.advance(900);
    expect(world.endings).toHaveLength(2);
    await world.clock.advance(100);
    expect(world.endings).toHaveLength(1);
    world.set('newer');
    await world.clock.advance(10);
    expect(world.endings).toHaveLength(0);
    await world.clock.advance(10_000);
    expect(world.given).toEqual(['newer']);
    await world.stop();
  });

  test('WatchLoop runs a handler again that the stop of the agent has cut off', async () => {
    const world = new World();
    world.endings.push('hang');
    await world.start();
    await world.stop();
    expect(world.given).toEqual([]);
    await world.start();
    expect(world.given).toEqual(['first']);
    await world.stop();
  });

  test('WatchLoop says once that nobody answers, and goes on when somebody does', async () => {
    const world = new World();
    world.unreachable = true;
    await world.start();
    await world.clock.advance(20_000);
    expect(world.logged).toEqual(['the watch waits: nobody']);
    world.unreachable = false;
    await world.clock.advance(31_000);
    expect(world.given).toEqual(['first']);
    await world.stop();
  });

  const events = (...times: number[]): object[] => times.map((LTime) => ({ ID: String(LTime), LTime }));
  const timesOf = (given: unknown[]): number[][] =>
    given.map((list) => (list as { LTime: number }[]).map((e) => e.LTime));

  test('WatchLoop gives each event once and none of before its beginning; one that fails five times is passed over', async () => {
    const world = new World('event');
    world.value = events(1, 2);
    await world.start();
    world.set(events(1, 2, 13));
    await world.clock.advance(10);
    await world.stop();
    world.set(events(2, 13, 14, 15));
    await world.start();
    expect(timesOf(world.given)).toEqual([[13], [14, 15]]);
    world.endings.push('fail', 'fail', 'fail', 'fail', 'fail');
    world.set(events(13, 14, 15, 16));
    await world.clock.advance(60_000);
    world.set(events(14, 15, 16, 17));
    await world.clock.advance(10);
    expect(timesOf(world.given)).toEqual([[13], [14, 15], [17]]);
    expect(world.logged).toContain('events are given up after 5 tries');
    await world.stop();
  });

  test('WatchLoop begins anew with a region that stands before its cursor: it is another one', async () => {
    const world = new World('event');
    world.saved = { hash: null, cursor: 900 };
    world.value = events(4, 5);
    world.index = 6;
    await world.start();
    world.set(events(4, 5, 17));
    await world.clock.advance(10);
    expect(timesOf(world.given)).toEqual([[17]]);
    await world.stop();
  });
});

const act = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 3 }).map((value) => ({ type: 'set', value }) as const) },
  { weight: 2, arbitrary: fc.constant({ type: 'wait' } as const) },
  { weight: 2, arbitrary: fc.constant({ type: 'restart' } as const) },
  { weight: 1, arbitrary: fc.constant({ type: 'fail' } as const) },
  { weight: 1, arbitrary: fc.constant({ type: 'hang' } as const) },
);

test('WatchLoop over random writes, failures and restarts: the last state arrives, and never the same twice in a row', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
      const world = new World();
      world.value = 0;
      await world.start();
      for (const one of acts) {
        if (one.type === 'set') world.set(one.value);
        else if (one.type === 'wait') await world.clock.advance(20);
        else if (one.type === 'fail' || one.type === 'hang') world.endings.push(one.type);
        else {
          await world.stop();
          await world.start();
        }
      }
      world.endings.length = 0;
      await world.stop();
      await world.start();
      await world.clock.advance(600_000);
      await world.stop();
      expect(world.given.at(-1)).toEqual(world.value);
      for (const [at, value] of world.given.entries()) if (at > 0) expect(value).not.toEqual(world.given[at - 1]);
      expect(world.clock.pending).toBe(0);
    }),
    { numRuns: 40 },
  );
});
