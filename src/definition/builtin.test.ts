import { expect, test } from 'vitest';
import { builtinOf } from './builtin.ts';

test.each([
  ['HOST', 'HOST'],
  ['host', 'HOST'],
  ['PORT', 'PORT'],
  ['id', 'ID'],
  ['NODE', 'NODE'],
  ['region', 'REGION'],
  ['META.rack', { meta: 'rack' }],
  ['meta.Rack', { meta: 'Rack' }],
  ['META.a.b', { meta: 'a.b' }],
])('builtinOf() knows %s', (name, builtin) => {
  expect(builtinOf(name)).toEqual(builtin);
});

test.each(['Host', 'HOSTS', 'META', 'meta', 'Meta.rack', 'api.META', 'constructor'])(
  'builtinOf() does not know %s',
  (name) => {
    expect(builtinOf(name)).toBeUndefined();
  },
);
