import { describe, expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { ApiAnswer, Ask } from './ask.ts';
import type { HandlerDefinition } from './handler.ts';
import { NEVER_SEEN } from './react.ts';
import { ReactionLoop } from './reaction-loop.ts';
import { HAPPENINGS, type ReactionDefinition, reactionIdentity } from './reaction.ts';
import type { ReactionRecord } from './saved-reaction.ts';

const script = (name: string): HandlerDefinition => ({
  type: 'script',
  args: [name],
  shell: null,
  cwd: '/',
  timeoutMs: 1,
});

const REACTION: ReactionDefinition = {
  name: 'sink',
  service: 'monitoring',
  tags: [],
  downAfterMs: 0,
  expect: { service: 'monitoring', withinMs: 300_000 },
  watchForMs: 120_000,
  handlers: Object.fromEntries(HAPPENINGS.map((one) => [one, script(one)])),
  token: null,
};

/** Services that are up or not, a disk, and handlers that do as they are told. */
class World {
  readonly clock = new FakeClock();
  readonly ran: string[] = [];
  readonly warned: string[] = [];
  readonly given: string[] = [];
  /** Somebody set the wall clock: it shows so much more than it did. */
  jumpedMs = 0;
  record: ReactionRecord = { state: NEVER_SEEN, waiting: [] };
  saves = 0;
  /** Handlers that fail, and those that hang. */
  readonly failing = new Set<string>();
  readonly hanging = new Set<string>();
  readonly #addresses = new Map<string, string>();
  #index = 2;
  #waiting: (() => void)[] = [];
  #loop: ReactionLoop | null = null;

  up(service: string, address = '10.0.0.1'): Promise<void> {
    this.#addresses.set(service, address);
    return this.#changed();
  }

  down(service: string): Promise<void> {
    this.#addresses.delete(service);
    return this.#changed();
  }

  async start(reaction: ReactionDefinition = REACTION): Promise<void> {
    this.#loop = await ReactionLoop.start({
      reaction,
      ask: this.#ask,
      saved: {
        load: () => Promise.resolve(this.record),
        save: (record) => {
          this.record = structuredClone(record);
          this.saves++;
          return Promise.resolve();
        },
      },
      runHandler: async (handler, call, signal) => {
        const name = handler.type === 'script' ? (handler.args?.[0] ?? '') : '';
        const isWell = !this.failing.has(name) && !this.hanging.has(name);
        if (isWell) this.ran.push(name);
        if (isWell) this.given.push(call.variables['DROVER_INSTANCES'] ?? '');
        if (this.hanging.has(name)) await new Promise((resolve) => signal.addEventListener('abort', resolve));
        return { ok: isWell, ending: 'exit', output: '', durationMs: 0 };
      },
      clock: {
        wall: () => this.clock.wall() + this.jumpedMs,
        now: () => this.clock.now(),
        after: (delayMs, task) => this.clock.after(delayMs, task),
        sleep: (delayMs, until) => this.clock.sleep(delayMs, until),
      },
      log: { info: () => undefined, warn: (_fields, text) => void this.warned.push(text) },
    });
    await this.clock.advance(10);
  }

  async stop(): Promise<void> {
    const stopping = this.#loop?.[Symbol.asyncDispose]();
    await this.clock.advance(4_000);
    await stopping;
  }

  readonly #ask: Ask = async (path, signal): Promise<ApiAnswer> => {
    const asked = Number(/index=(\d+)/.exec(path)?.[1] ?? 0);
    if (asked >= this.#index) await this.#next(signal);
    const service = /service\/(\w+)/.exec(path)?.[1] ?? '';
    const address = this.#addresses.get(service);
    const row = {
      Node: { Node: 'n1', Address: '10.9.9.9' },
      Service: { ID: service, Address: address, Port: 4242, Tags: [], Meta: {} },
    };
    const body = JSON.stringify(address === undefined ? [] : [row]);
    return { status: 200, body, index: String(this.#index), revision: this.#index };
  };

  #next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    });
  }

  async #changed(): Promise<void> {
    this.#index++;
    for (const wake of this.#waiting.splice(0)) wake();
    await this.clock.advance(10);
  }
}

describe('ReactionLoop', () => {
  test('ReactionLoop runs the handlers of what happens, in order, with the instances', async () => {
    const world = new World();
    await world.start();
    await world.clock.advance(300_000);
    await world.up('monitoring');
    await world.clock.advance(120_000);
    await world.up('monitoring', '10.0.0.2');
    await world.down('monitoring');
    expect(world.ran).toEqual(['down', 'missing', 'up', 'well', 'up', 'down', 'relapse']);
    expect(world.given.slice(2, 5)).toEqual(['10.0.0.1:4242', '10.0.0.1:4242', '10.0.0.2:4242']);
    await world.stop();
    expect(world.clock.pending).toBe(0);
  });

  test('ReactionLoop writes nothing down while nothing happens', async () => {
    const world = new World();
    await world.up('monitoring');
    await world.start();
    await world.clock.advance(200_000);
    const { saves } = world;
    await world.up('other');
    await world.clock.advance(600_000);
    expect(world.saves).toBe(saves);
    await world.stop();
  });

  test('ReactionLoop writes down what is to be done before it does it, and does it after a restart', async () => {
    const world = new World();
    world.hanging.add('down');
    await world.start();
    expect(world.record.waiting.map(({ happening }) => happening)).toEqual(['down']);
    await world.stop();
    world.hanging.clear();
    await world.start();
    expect(world.ran).toEqual(['down']);
    expect(world.record.waiting).toEqual([]);
    await world.stop();
    await world.start();
    expect(world.ran).toEqual(['down']);
    await world.stop();
  });

  test('ReactionLoop after a restart looks first and at the clock second: what is back is not missing', async () => {
    const world = new World();
    await world.start();
    await world.stop();
    await world.clock.advance(600_000);
    await world.up('monitoring');
    await world.start();
    expect(world.ran).toEqual(['down', 'up']);
    await world.stop();
  });

  test.each([-86_400_000, 86_400_000])(
    'ReactionLoop keeps its deadlines when the wall clock is set by %d ms while it runs',
    async (jumpedMs) => {
      const world = new World();
      await world.start();
      world.jumpedMs = jumpedMs;
      await world.up('other');
      await world.clock.advance(299_000);
      expect(world.ran).toEqual(['down']);
      await world.clock.advance(2_000);
      expect(world.ran).toEqual(['down', 'missing']);
      world.jumpedMs = 0;
      await world.up('monitoring');
      world.jumpedMs = jumpedMs;
      await world.clock.advance(119_000);
      expect(world.ran).toEqual(['down', 'missing', 'up']);
      await world.clock.advance(2_000);
      expect(world.ran.at(-1)).toBe('well');
      await world.stop();
    },
  );

  test('ReactionLoop waits no longer than it would from now when the wall clock was set back before it starts', async () => {
    const world = new World();
    await world.start();
    await world.stop();
    world.jumpedMs = -86_400_000;
    await world.start();
    await world.clock.advance(301_000);
    expect(world.ran).toEqual(['down', 'missing']);
    await world.stop();
  });

  test('ReactionLoop tries a handler five times, and what waits comes up after it', async () => {
    const world = new World();
    world.failing.add('down');
    await world.start({ ...REACTION, expect: { service: 'monitoring', withinMs: 1_000 } });
    await world.clock.advance(14_000);
    expect(world.ran).toEqual([]);
    await world.clock.advance(2_000);
    expect(world.ran).toEqual(['missing']);
    expect(world.warned.at(-1)).toBe('a handler failed 5 times and is given up');
    await world.stop();
  });

  test('ReactionLoop leaves out a `down` that has not begun when it is up again', async () => {
    const world = new World();
    await world.up('monitoring');
    await world.start();
    world.hanging.add('well');
    await world.clock.advance(120_000);
    await world.down('monitoring');
    await world.up('monitoring', '10.0.0.2');
    await world.stop();
    world.hanging.clear();
    await world.start();
    expect(world.ran).toEqual(['up', 'well', 'up']);
    await world.stop();
  });

  test('ReactionLoop expects another service when told so', async () => {
    const world = new World();
    const reaction = { ...REACTION, expect: { service: 'standby', withinMs: 1_000 } };
    await world.start(reaction);
    await world.up('standby');
    await world.clock.advance(5_000);
    expect(world.ran).toEqual(['down']);
    await world.stop();
  });
});

test('a reaction is who it is by its name and what it is about', () => {
  const one = reactionIdentity(REACTION);
  expect(reactionIdentity({ ...REACTION, watchForMs: 1, handlers: {} })).toBe(one);
  expect(reactionIdentity({ ...REACTION, service: 'other' })).not.toBe(one);
  expect(reactionIdentity({ ...REACTION, name: 'other' })).not.toBe(one);
});
