import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { FakeClock } from '../../lib/index.ts';
import { prefixRange, type Revision } from '../contract.ts';
import { History } from '../history.ts';
import type { EtcdClient } from './client.ts';
import { Era } from './era.ts';
import { Follower } from './follower.ts';
import { EventSchema, Event_EventType, KeyValueSchema, type Event } from './generated/kv_pb.ts';
import { RangeResponseSchema, WatchResponseSchema, type WatchResponse } from './generated/rpc_pb.ts';
import { bytesOf, META_KEY } from './keys.ts';
import { formatMeta } from './meta.ts';

const CLUSTER = 9n;
const meta = { layout: 1, generation: 0, revision: 110 };

function eventOf(key: string, revision: number, type: Event_EventType = Event_EventType.PUT): Event {
  const kv = { key: bytesOf(key), createRevision: BigInt(revision), modRevision: BigInt(revision) };
  return create(EventSchema, { type, kv: create(KeyValueSchema, kv) });
}

const put = (revision: number): Event => eventOf(`/drover/1/k${revision}`, revision);
const created = create(WatchResponseSchema, { created: true });
const told = (...events: Event[]): WatchResponse => create(WatchResponseSchema, { events });

/** A follower at etcd's revision 10, drover's 110, and an etcd that says what a test wants. */
class Scene {
  readonly clock = new FakeClock();
  readonly history = new History({ revision: 110, capacity: 100 });
  readonly failures: string[] = [];
  readonly asked: bigint[] = [];
  /** What each stream gives; then it waits, or ends. */
  readonly streams: { readonly gives: WatchResponse[]; readonly ends: boolean }[] = [];
  header = { clusterId: CLUSTER, revision: 20n };
  readonly follower: Follower;

  constructor(...streams: { gives: WatchResponse[]; ends: boolean }[]) {
    this.streams = streams;
    this.follower = new Follower({
      client: this.#client(),
      clock: this.clock,
      random: () => 0.5,
      history: this.history,
      era: new Era({ ...meta, flip: 10 }, new Map()),
      from: 10,
      clusterId: CLUSTER,
      loadEra: (kv) =>
        Promise.resolve(new Era({ ...meta, generation: 1, revision: 5_000, flip: Number(kv.modRevision) }, new Map())),
      fail: (why) => this.failures.push(why),
      report: () => {},
    });
  }

  async seen(): Promise<Revision[]> {
    const found: Revision[] = [];
    const until = this.history.revision;
    if (this.history.compacted >= until) return found;
    for await (const { revision } of this.history.watch(
      prefixRange(''),
      this.history.compacted,
      new AbortController().signal,
    )) {
      found.push(revision);
      if (revision >= until) break;
    }
    return found;
  }

  /** When a member was heard of last, with or without a leader. */
  contactAtMs = 0;

  #client(): EtcdClient {
    const calls: Partial<EtcdClient> = {
      health: heardAt(() => this.contactAtMs),
      range: () => {
        const kv = create(KeyValueSchema, { key: bytesOf(META_KEY), value: formatMeta(meta), modRevision: 10n });
        return Promise.resolve(create(RangeResponseSchema, { header: this.header, kvs: [kv] }));
      },
      watch: (request, signal) => this.#watch(request.startRevision ?? 0n, signal),
    };
    return calls as EtcdClient;
  }

  async *#watch(start: bigint, signal: AbortSignal): AsyncGenerator<WatchResponse> {
    this.asked.push(start);
    const { gives, ends } = this.streams.shift() ?? { gives: [], ends: false };
    yield* gives;
    if (!ends) await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
  }
}

test('Follower drops what it has seen before, and asks on behind the last', async () => {
  const scene = new Scene(
    { gives: [created, told(put(11), put(12))], ends: true },
    { gives: [created, told(put(11), put(12), put(13)), told(put(12)), told(put(14))], ends: false },
  );
  await scene.clock.advance(0);
  expect(scene.follower.connected).toBe(false);
  await scene.clock.advance(200);
  expect(scene.follower.connected).toBe(true);
  expect(await scene.seen()).toEqual([111, 112, 113, 114]);
  expect(scene.asked).toEqual([11n, 13n]);
  await scene.follower[Symbol.asyncDispose]();
});

test('Follower gives revisions that it may not see as empty ones', async () => {
  const scene = new Scene({ gives: [created, told(put(13))], ends: false });
  await scene.clock.advance(0);
  expect(await scene.seen()).toEqual([111, 112, 113]);
  await scene.follower[Symbol.asyncDispose]();
});

test('Follower goes over to a new pointer in the order of revisions', async () => {
  const pointer = eventOf(META_KEY, 12);
  const scene = new Scene({
    gives: [created, told(put(11), pointer, put(13), eventOf('/drover/1.1/k', 14))],
    ends: false,
  });
  await scene.clock.advance(0);
  expect(scene.follower.era.pointer).toMatchObject({ generation: 1, flip: 12 });
  expect(scene.history.compacted).toBe(5_000);
  expect(await scene.seen()).toEqual([5_001, 5_002]);
  await scene.follower[Symbol.asyncDispose]();
});

test.each([
  ['the pointer is deleted', told(eventOf(META_KEY, 11, Event_EventType.DELETE)), {}, 'was deleted'],
  ['etcd was set back', told(), { revision: 9n }, 'set back'],
  ['another etcd answers', told(), { clusterId: 8n }, 'another cluster'],
])('Follower fails when %s', async (_what, response, header, why) => {
  const scene = new Scene({ gives: [created, response], ends: true });
  scene.header = { ...scene.header, ...header };
  await scene.clock.advance(500);
  expect(scene.failures[0]).toContain(why);
  await scene.follower[Symbol.asyncDispose]();
});

test('Follower backs off while its watch ends at once, and knows for how long it has been cut off', async () => {
  const ending = { gives: [], ends: true };
  const scene = new Scene(ending, ending, ending, ending, ending, ending, ending, ending, ending, ending);
  await scene.clock.advance(2_000);
  expect(scene.asked.length).toBeLessThan(8);
  expect([scene.follower.connected, scene.follower.lostForMs]).toEqual([false, 2_000]);
  await scene.follower[Symbol.asyncDispose]();
  expect(scene.clock.pending).toBe(0);
});

test('Follower forgets who waited for a leader in vain', async () => {
  const scene = new Scene({ gives: [], ends: false });
  await scene.clock.advance(0);
  for (let call = 0; call < 100; call++) {
    const patience = new AbortController();
    const waiting = scene.follower.changed(patience.signal);
    patience.abort();
    await waiting;
  }
  expect(scene.follower.waiters).toBe(0);
  await scene.follower[Symbol.asyncDispose]();
});

test('Follower knows when it was heard of last, whatever a member without a leader answers since', async () => {
  const scene = new Scene(
    { gives: [create(WatchResponseSchema, { created: true })], ends: true },
    ...Array.from({ length: 9 }, () => ({ gives: [], ends: true })),
  );
  await scene.clock.advance(1_000);
  scene.contactAtMs = scene.clock.now();
  expect([scene.follower.connected, scene.follower.heardAtMs]).toEqual([false, 0]);
  await scene.follower[Symbol.asyncDispose]();
});

function heardAt(atMs: () => number): EtcdClient['health'] {
  return {
    get lastContactAtMs() {
      return atMs();
    },
  } as EtcdClient['health'];
}
