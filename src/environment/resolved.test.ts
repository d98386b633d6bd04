import { expect, test } from 'vitest';
import { isWhole, unresolvedOf } from './resolved.ts';
import { variableOf } from './testing.ts';

const environment = {
  service: 'app',
  variables: [
    variableOf('OWN', 'x', { state: 'own' }),
    variableOf('READY', 'x'),
    variableOf('BALANCED', 'x', { state: 'waiting', unresolved: ['API_URL'] }),
    variableOf('OLD', 'x', { state: 'stale', unresolved: ['CACHE_URL'] }),
  ],
};

test('unresolvedOf() takes waiting with a value and stale as resolved, unless it is to be ready', () => {
  expect(unresolvedOf(environment)).toEqual({ missing: [], waiting: [] });
  expect(isWhole(environment)).toBe(true);
  expect(unresolvedOf(environment, { ready: true })).toEqual({ missing: [], waiting: ['API_URL', 'CACHE_URL'] });
});

test('unresolvedOf() names every missing and waiting name once, in order', () => {
  const variables = [
    ...environment.variables,
    variableOf('A', null, { unresolved: ['Z_URL', 'B_URL'] }),
    variableOf('B', null, { unresolved: ['B_URL'] }),
    variableOf('C', null, { state: 'waiting', unresolved: ['C_URL'] }),
    variableOf('D', null),
  ];
  expect(unresolvedOf({ service: 'app', variables })).toEqual({ missing: ['B_URL', 'D', 'Z_URL'], waiting: ['C_URL'] });
  expect(isWhole({ service: 'app', variables })).toBe(false);
});
