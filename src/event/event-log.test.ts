import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FakeClock } from '../lib/index.ts';
import { startTestRegistry } from '../registry/testing.ts';
import { MemoryStore } from '../store/index.ts';
import { audienceOf } from './event-filter.ts';
import { EventLog, KEPT_EVENTS } from './event-log.ts';
import { eventIndex, type EventToFire } from './user-event.ts';
import { userEvents, type UserEvents } from './user-events.ts';

const toFire = (name: string, more: Partial<EventToFire> = {}): EventToFire => ({
  name,
  payload: Buffer.from(''),
  nodeFilter: '',
  serviceFilter: '',
  tagFilter: '',
  ...more,
});

interface Region extends AsyncDisposable {
  readonly events: UserEvents;
  readonly names: () => string[];
}

async function startRegion(store: MemoryStore): Promise<Region> {
  const log = new EventLog();
  const registry = await startTestRegistry({ store, projections: [log] });
  const events = userEvents(registry.feed, log);
  return {
    events,
    names: () => log.events.map(({ name }) => name),
    [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
  };
}

test('EventLog keeps the last 256 in order, also across a restart and for every server', async () => {
  await using store = await MemoryStore.start({ clock: new FakeClock(), base: 1 });
  await using one = await startRegion(store);
  await using other = await startRegion(store);
  const fired: string[] = [];
  for (let n = 0; n < 300; n++) {
    const { events } = n % 3 === 0 ? other : one;
    await events.fires.fire(toFire(`e${n}`));
    fired.push(`e${n}`);
  }
  expect(one.names()).toEqual(fired.slice(-KEPT_EVENTS));
  await using again = await startRegion(store);
  expect(again.names()).toEqual(fired.slice(-KEPT_EVENTS));
  const { entries } = await store.read({ start: 'ev/', end: 'ev0' });
  expect(entries.length).toBeLessThanOrEqual(KEPT_EVENTS + 1);
});

test('EventFires.fire() at the same moment loses none, and what is too much goes with the next', async () => {
  await using store = await MemoryStore.start({ clock: new FakeClock(), base: 1 });
  await using region = await startRegion(store);
  for (let n = 0; n < KEPT_EVENTS; n++) await region.events.fires.fire(toFire('old'));
  await Promise.all(Array.from({ length: 20 }, () => region.events.fires.fire(toFire('new'))));
  expect(region.names().filter((name) => name === 'new')).toHaveLength(20);
  expect(region.names()).toHaveLength(KEPT_EVENTS);
  await region.events.fires.fire(toFire('last'));
  expect(region.events.log.all()).toHaveLength(KEPT_EVENTS);
});

test('EventLog.next() resolves with the next event, and leaves nothing behind when it is aborted', async () => {
  await using store = await MemoryStore.start({ clock: new FakeClock(), base: 1 });
  await using region = await startRegion(store);
  const { log, fires } = region.events;
  const clock = new FakeClock();
  const next = log.next(clock, 1_000, new AbortController().signal);
  await fires.fire(toFire('a'));
  expect(await next).toBe(true);
  const late = log.next(clock, 1_000, new AbortController().signal);
  await clock.advance(1_000);
  expect(await late).toBe(false);
  const stop = new AbortController();
  const gone = log.next(clock, 1_000, stop.signal);
  stop.abort(new Error('gone'));
  await expect(gone).rejects.toThrow('gone');
  expect([log.waiters, clock.pending]).toEqual([0, 0]);
});

test('eventIndex() is 1 for none and a 64-bit number else', () => {
  expect(eventIndex(undefined)).toBe('1');
  expect(eventIndex({ id: 'ffffffff-ffff-ffff-0000-000000000000' })).toBe(String(2n ** 64n - 1n));
});

const filters = { nodeFilter: '', serviceFilter: '', tagFilter: '' };
const services = [
  { service: 'web', tags: ['blue', 'v1'] },
  { service: 'db', tags: [] },
];

test.each([
  [{}, true],
  [{ nodeFilter: 'b-1' }, true],
  [{ nodeFilter: '^web-1$' }, true],
  [{ nodeFilter: '^b-1' }, false],
  [{ serviceFilter: '^w' }, true],
  [{ serviceFilter: 'cache' }, false],
  [{ serviceFilter: 'web', tagFilter: '^v\\d$' }, true],
  [{ serviceFilter: 'db', tagFilter: 'blue' }, false],
  [{ nodeFilter: 'x', serviceFilter: 'web' }, false],
])('audienceOf(%j) includes web-1 with web and db: %s', (given, expected) => {
  expect(audienceOf({ ...filters, ...given }).includes('web-1', services)).toBe(expected);
});

test('audienceOf() takes any text or refuses it with the text of Consul', () => {
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), (pattern) => {
      try {
        audienceOf({ ...filters, nodeFilter: pattern }).includes('some-node', []);
      } catch (error) {
        expect(error).toMatchObject({ code: 'EVENT_BAD_FILTER', status: 500 });
        expect((error as Error).message).toMatch(/^Invalid node filter: /);
      }
    }),
    { numRuns: 100 },
  );
});
