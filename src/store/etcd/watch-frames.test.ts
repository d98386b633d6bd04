import { create } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventSchema, KeyValueSchema, type Event } from './generated/kv_pb.ts';
import { WatchResponseSchema, type WatchResponse } from './generated/rpc_pb.ts';
import { WatchFrames } from './watch-frames.ts';

const event = (revision: number): Event =>
  create(EventSchema, { kv: create(KeyValueSchema, { modRevision: BigInt(revision) }) });
const response = (events: readonly Event[], fragment: boolean): WatchResponse =>
  create(WatchResponseSchema, { events: [...events], fragment });

test('WatchFrames.push() gives nothing before the last fragment, and then whole revisions', () => {
  const frames = new WatchFrames();
  expect(frames.push(response([event(3), event(4)], true))).toEqual([]);
  expect(frames.push(response([event(4)], true))).toEqual([]);
  const batches = frames.push(response([event(4), event(5)], false));
  expect(batches.map(({ revision, events }) => [revision, events.length])).toEqual([
    [3, 1],
    [4, 3],
    [5, 1],
  ]);
  expect(frames.push(response([], false))).toEqual([]);
});

test('WatchFrames.push() gives each event once in its revision, however they are cut', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 8 });
  fc.assert(
    fc.property(sizes, fc.array(fc.nat(30), { maxLength: 6 }), (revisions, cuts) => {
      const events = revisions.flatMap((size, index) => Array.from({ length: size }, () => event(index + 1)));
      const places = [...new Set(cuts.filter((cut) => cut < events.length))].toSorted((a, b) => a - b);
      const frames = new WatchFrames();
      const given = [...places, events.length].flatMap((end, index) =>
        frames.push(response(events.slice(places[index - 1] ?? 0, end), end < events.length)),
      );
      expect(given.map(({ revision, events: all }) => [revision, all.length])).toEqual(
        revisions.map((size, index) => [index + 1, size]),
      );
    }),
    { numRuns: 100 },
  );
});
