import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import type { Answer, LiveQuery } from './answer.ts';
import { prefixOfTopic, topicPrefix } from './answer.ts';
import type { AppliedChange, Feed } from './feed.ts';
import { topic } from './keys.ts';
import { LiveQueries } from './live-queries.ts';
import { instanceRecordOf, startTestRegistry } from './testing.ts';

/** Topics with contents that a test changes by hand, and the queries that wait for them. */
class Board {
  readonly clock = new FakeClock();
  readonly contents = new Map<string, string>();
  readonly indexes = new Map<string, number>();
  readonly listeners = new Set<(change: AppliedChange) => void>();
  revision = 10;
  renders = 0;

  async start(cacheBytes = 1_000_000): Promise<LiveQueries> {
    return LiveQueries.start({
      feed: this.feed(),
      index: (name) => this.index(name),
      clock: this.clock,
      random: () => 0,
      cacheBytes,
    });
  }

  index(name: string): number {
    const prefix = prefixOfTopic(name);
    if (prefix === undefined) return this.indexes.get(name) ?? 1;
    return Math.max(1, ...[...this.indexes].filter(([one]) => one.startsWith(prefix)).map(([, index]) => index));
  }

  onApplied(listen: (change: AppliedChange) => void): () => void {
    this.listeners.add(listen);
    return () => void this.listeners.delete(listen);
  }

  /** As much of a feed as waiters need. */
  feed(): Feed {
    return this as unknown as Feed;
  }

  query(...topics: string[]): LiveQuery {
    return {
      key: topics.join(' '),
      topics,
      render: () => {
        this.renders++;
        return topics.map((name) => this.contents.get(name) ?? '').join();
      },
    };
  }

  /** One revision that changes topics, with or without making them different. */
  change(contents: Readonly<Record<string, string>>): void {
    this.revision++;
    for (const [name, content] of Object.entries(contents)) {
      this.contents.set(name, content);
      this.indexes.set(name, this.revision);
    }
    const change = { revision: this.revision, topics: new Set(Object.keys(contents)) } as unknown as AppliedChange;
    for (const listen of this.listeners) listen(change);
  }
}

/** Whether a promise has settled, after everything queued has run. */
async function settled(promise: Promise<unknown>): Promise<boolean> {
  let isSettled = false;
  void promise.finally(() => (isSettled = true)).catch(() => {});
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
  return isSettled;
}

const text = (answer: Answer): string => answer.body.toString();

test('read() renders once per index', async () => {
  const board = new Board();
  await using live = await board.start();
  board.change({ a: 'one' });
  expect(live.read(board.query('a'))).toMatchObject({ index: 11 });
  expect(live.read(board.query('a')).body).toBe(live.read(board.query('a')).body);
  expect(board.renders).toBe(1);
  board.change({ a: 'two' });
  expect(text(live.read(board.query('a')))).toBe('two');
  expect(board.renders).toBe(2);
});

test('read() takes the highest index of the topics and never 0', async () => {
  const board = new Board();
  await using live = await board.start();
  expect(live.read(board.query('a', 'b')).index).toBe(1);
  board.change({ a: 'x' });
  board.change({ b: 'x' });
  board.change({ c: 'x' });
  expect(live.read(board.query('a', 'b')).index).toBe(12);
});

test('wait() answers at once without an index, or when the index is older', async () => {
  const board = new Board();
  await using live = await board.start();
  board.change({ a: 'x' });
  for (const options of [{}, { index: 0 }, { index: 5 }, { index: 10 }])
    expect(await live.wait(board.query('a'), options)).toMatchObject({ index: 11 });
  expect(live.waiters).toBe(0);
});

test('wait() wakes when its answer changed and not for other topics', async () => {
  const board = new Board();
  await using live = await board.start();
  board.change({ a: 'x' });
  const waiting = live.wait(board.query('a'), { index: 11 });
  board.change({ b: 'y' });
  expect(await settled(waiting)).toBe(false);
  board.change({ a: 'z' });
  expect(await waiting).toMatchObject({ index: 13 });
  expect(text(await waiting)).toBe('z');
  expect([live.waiters, board.clock.pending]).toEqual([0, 0]);
});

test('wait() sleeps on when the answer is the same, and gets the newer index at the end of its time', async () => {
  const board = new Board();
  await using live = await board.start();
  board.change({ a: 'x' });
  const waiting = live.wait(board.query('a'), { index: 11, waitMs: 1_000 });
  board.change({ a: 'x' });
  expect(await settled(waiting)).toBe(false);
  await board.clock.advance(1_000);
  expect(await waiting).toMatchObject({ index: 12 });
});

test('wait() ends after 5 minutes by default, 10 at most, and up to a sixteenth more', async () => {
  const table = [
    { waitMs: 20, random: 0, endsMs: 20 },
    { waitMs: undefined, random: 0, endsMs: 300_000 },
    { waitMs: 0, random: 0, endsMs: 300_000 },
    { waitMs: 3_600_000, random: 0, endsMs: 600_000 },
    { waitMs: 1_600, random: 0.5, endsMs: 1_650 },
  ];
  for (const { waitMs, random, endsMs } of table) {
    const board = new Board();
    const options = { feed: board.feed(), index: () => 1, clock: board.clock, random: () => random };
    await using live = await LiveQueries.start(options);
    const waiting = live.wait(board.query('a'), { index: 1, ...(waitMs === undefined ? {} : { waitMs }) });
    await board.clock.advance(endsMs - 1);
    expect(await settled(waiting)).toBe(false);
    await board.clock.advance(1);
    expect(await waiting).toMatchObject({ index: 1 });
  }
});

test('wait() with an index of a server ahead waits until this one has it, and only then for a change', async () => {
  const board = new Board();
  await using live = await board.start();
  board.change({ a: 'old' });
  const waiting = live.wait(board.query('a'), { index: 13 });
  board.change({ a: 'older than what they have' });
  board.change({ a: 'what they have' });
  expect(await settled(waiting)).toBe(false);
  board.change({ a: 'news' });
  expect(text(await waiting)).toBe('news');
});

test('wait() with an index of a server ahead is woken by another topic reaching that revision only if its own moved past it', async () => {
  const board = new Board();
  await using live = await board.start();
  const waiting = live.wait(board.query('a'), { index: 12 });
  board.revision = 12;
  board.change({ a: 'skipped past it, as after a resync' });
  expect(await waiting).toMatchObject({ index: 13 });
});

test('wait() rejects with the reason of its signal and frees the waiter', async () => {
  const board = new Board();
  await using live = await board.start();
  const gone = new AbortController();
  const waiting = live.wait(board.query('a'), { index: 1, signal: gone.signal });
  const stays = live.wait(board.query('a'), { index: 1 });
  gone.abort(new Error('client went away'));
  await expect(waiting).rejects.toThrow('client went away');
  expect([live.waiters, board.clock.pending]).toEqual([1, 1]);
  await expect(live.wait(board.query('a'), { index: 1, signal: gone.signal })).rejects.toThrow('client went away');
  board.change({ a: 'x' });
  expect(await stays).toMatchObject({ index: 11 });
});

test('wait() on the topics of a prefix wakes for what begins so', async () => {
  const board = new Board();
  await using live = await board.start();
  const query: LiveQuery = {
    key: 'kv a/',
    topics: [topicPrefix('kv/a/')],
    render: () => [...board.contents].filter(([name]) => name.startsWith('kv/a/')).join(),
  };
  const waiting = live.wait(query, { index: 1 });
  board.change({ 'kv/b': 'x', 'kv/a': 'x' });
  expect(await settled(waiting)).toBe(false);
  board.change({ 'kv/a/b': 'x' });
  expect(text(await waiting)).toBe('kv/a/b,x');
});

test('dispose answers everyone who waits with what is now', async () => {
  const board = new Board();
  const live = await board.start();
  const waiting = live.wait(board.query('a'), { index: 1 });
  await live[Symbol.asyncDispose]();
  expect(await waiting).toMatchObject({ index: 1 });
  expect([board.listeners.size, board.clock.pending, live.waiters]).toEqual([0, 0, 0]);
  expect(await live.wait(board.query('a'), { index: 1 })).toMatchObject({ index: 1 });
});

test('10,000 changes of other topics wake nobody and render nothing', async () => {
  const board = new Board();
  await using live = await board.start();
  const waiting = Array.from({ length: 100 }, (_, n) => live.wait(board.query(`mine/${n}`), { index: 1 }));
  const { renders } = board;
  for (let n = 0; n < 10_000; n++) board.change({ [`other/${n % 100}`]: String(n) });
  expect(await settled(Promise.any(waiting))).toBe(false);
  expect([live.waiters, board.renders]).toEqual([100, renders]);
});

test('a change of one topic renders once for all who wait, and wakes them over several turns', async () => {
  const board = new Board();
  await using live = await board.start();
  let woken = 0;
  for (let n = 0; n < 1_000; n++) void live.wait(board.query('a'), { index: 1 }).then(() => woken++);
  const { renders } = board;
  board.change({ a: 'x' });
  await Promise.resolve();
  expect(woken).toBeLessThanOrEqual(200);
  expect(live.waiters).toBe(800);
  while (live.waiters > 0) await new Promise((resolve) => setImmediate(resolve));
  await Promise.resolve();
  expect([woken, board.renders]).toEqual([1_000, renders + 1]);
});

test('read() stays within its cache and is right beyond it', async () => {
  const board = new Board();
  await using live = await board.start(2_000);
  for (let round = 0; round < 2; round++)
    for (let n = 0; n < 20; n++) {
      if (round === 0) board.change({ [`t${n}`]: `body ${n}` });
      expect(text(live.read(board.query(`t${n}`)))).toBe(`body ${n}`);
    }
  expect(board.renders).toBeGreaterThan(20);
});

test('no client that loops over blocking reads ends with anything but the last state', async () => {
  const names = ['a', 'b', 'c'];
  const write = fc.record({
    service: fc.constantFrom(...names),
    node: fc.nat(3),
    isGone: fc.boolean(),
    port: fc.nat(2),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(write, { maxLength: 4 }), { maxLength: 12 }), async (rounds) => {
      await using region = await startTestRegistry({ nodes: ['n0', 'n1', 'n2', 'n3'] });
      const { catalog, registry, feed, clock } = region;
      await using live = await LiveQueries.start({
        feed,
        index: (name) => catalog.index(name),
        clock,
        random: () => 0,
      });
      const stop = new AbortController();
      const render = (name: string): string =>
        JSON.stringify(catalog.instances(name).map((one) => [one.node.record.name, one.record.port]));
      const seen = new Map<string, string>();
      let early = 0;
      const loop = async (name: string): Promise<void> => {
        const query = { key: name, topics: [topic.service(name)], render: () => render(name) };
        for (let index = 0; !stop.signal.aborted;) {
          const answer = await live.wait(query, { index, signal: stop.signal });
          if (seen.get(name) === text(answer)) early++;
          seen.set(name, text(answer));
          ({ index } = answer);
        }
      };
      const loops = names.map((name) => loop(name).catch(() => {}));
      for (const writes of rounds)
        await Promise.all(
          writes.map(({ service, node, isGone, port }) =>
            isGone
              ? registry.deregister({ node: `n${node}`, serviceId: service })
              : registry.registerExternal({
                  node: { name: `n${node}`, address: '127.0.0.1' },
                  instance: instanceRecordOf({ service, port }),
                }),
          ),
        );
      for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
      for (const name of names) expect(seen.get(name), name).toBe(render(name));
      // A wait that began between a change and its next is answered at once, also when the two undo each other.
      expect(early).toBeLessThanOrEqual(rounds.flat().length);
      stop.abort();
      await Promise.all(loops);
    }),
    { numRuns: 25 },
  );
});
