import { expect, test } from 'vitest';
import { SingleCheck } from './single-check.ts';
import { checkRecordOf } from './testing.ts';

test('SingleCheck is read as a Map of one is', () => {
  const check = { record: checkRecordOf({ id: 'web' }), createRevision: 1, modRevision: 2 };
  const [map, single] = [new Map([['web', check]]), new SingleCheck(check)];
  const read = (one: ReadonlyMap<string, typeof check>): unknown => {
    const seen: unknown[] = [];
    one.forEach((value, key, whole) => seen.push(value, key, whole === one));
    return [one.size, one.get('web'), one.get('db'), one.has('web'), one.has('db'), [...one], [...one.keys()], seen];
  };
  expect(read(single)).toEqual(read(map));
  expect([...single.values()]).toEqual([check]);
  expect(new Map(single)).toEqual(map);
});
