import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { Era } from './era.ts';
import { EventSchema, Event_EventType, KeyValueSchema, type KeyValue } from './generated/kv_pb.ts';
import { bytesOf } from './keys.ts';

const origins = new Map([['kv/a', { createRevision: 1_101, modRevision: 1_105 }]]);
/** etcd's revision 50 is drover's 1200: restored entries came with revisions up to there. */
const era = new Era({ layout: 1, generation: 2, revision: 1_200, flip: 50 }, origins);

const kv = (key: string, createRevision: number, modRevision: number): KeyValue =>
  create(KeyValueSchema, {
    key: bytesOf(key),
    value: Buffer.from('välue'),
    createRevision: BigInt(createRevision),
    modRevision: BigInt(modRevision),
  });

test('Era.entry() gives what was restored the revisions it came with, until it is written again', () => {
  const key = '/drover/1.2/kv/a';
  expect(era.entry(kv(key, 40, 40))).toEqual({
    key: 'kv/a',
    value: 'välue',
    createRevision: 1_101,
    modRevision: 1_105,
  });
  expect(era.entry(kv(key, 40, 51))).toMatchObject({ createRevision: 1_101, modRevision: 1_201 });
  expect(era.entry(kv(key, 52, 53))).toMatchObject({ createRevision: 1_202, modRevision: 1_203 });
  expect(era.entry(kv('/drover/1.2/kv/b', 51, 51), true)).toEqual({
    key: 'kv/b',
    value: '',
    createRevision: 1_201,
    modRevision: 1_201,
  });
});

test('Era.event() knows its own keys from all others', () => {
  const event = (type: Event_EventType, key: string): ReturnType<typeof era.event> =>
    era.event(create(EventSchema, { type, kv: kv(key, 60, 60) }));
  expect(event(Event_EventType.PUT, '/drover/1.2/kv/a')).toMatchObject({ type: 'put', entry: { modRevision: 1_210 } });
  expect(event(Event_EventType.DELETE, '/drover/1.2/\u{ff}')).toEqual({ type: 'delete', key: '\u{ff}' });
  for (const other of ['/drover/1/kv/a', '/drover/1.20/kv/a', '/drover/1.2/', '/drover/1.2-claim', 'a', '/drover/meta'])
    expect(event(Event_EventType.PUT, other)).toBeUndefined();
});

test('Era.revision() and rawRevision() add the base and take it off', () => {
  expect([era.revision(50), era.revision(57n)]).toEqual([1_200, 1_207]);
  expect([era.rawRevision(1_207), era.rawRevision(3)]).toEqual([57, 0]);
});
