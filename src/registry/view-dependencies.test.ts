import { expect, test } from 'vitest';
import type { CatalogNode } from './catalog-reader.ts';
import { ResolveScope } from './resolve-scope.ts';
import { catalogOf } from './testing.ts';
import type { DefinitionLiteral } from './testing.ts';
import { viewDependencies } from './view-dependencies.ts';

function dependencies(definitions: readonly DefinitionLiteral[]): Record<string, string[]> {
  const catalog = catalogOf({ nodes: [{ name: 'www', runs: ['app-www'], services: ['log'] }], definitions });
  const found = viewDependencies(new ResolveScope(catalog), catalog.node('www') as CatalogNode);
  return Object.fromEntries(Object.entries(found).map(([key, set]) => [key, [...(set as Set<string>)].toSorted()]));
}

test('viewDependencies() has the node’s own definitions when they do not exist', () => {
  const definitions = ['default/app-www', 'default/log'];
  expect(dependencies([])).toEqual({ services: [], definitions, names: [], direct: [] });
});

test('viewDependencies() has required names and who provides them, also those that do not exist', () => {
  const app = { id: 'app-www', requires: { A: '{API_URL}{NOPE}', B: '{db.DB_URL}' }, requiresServices: ['queue'] };
  const api = { id: 'api', provides: { API_URL: 'x' } };
  expect(dependencies([app, api])).toEqual({
    services: ['api', 'db', 'queue'],
    definitions: ['default/api', 'default/app-www', 'default/db', 'default/log', 'default/queue'],
    names: ['default/API_URL', 'default/NOPE'],
    direct: ['api'],
  });
});

test.each<[string, object, object, string[]]>([
  ['has no local_port', {}, { balancer: { address: '127.0.0.1' } }, ['api']],
  ['has one, and the node no balancer', { localPort: 1100 }, {}, ['api']],
  ['has one, and the node a balancer', { localPort: 1100 }, { balancer: { address: '127.0.0.1' } }, []],
])('viewDependencies() names as direct what gives a value when it %s', (_when, api, node, direct) => {
  const catalog = catalogOf({
    nodes: [{ name: 'www', runs: ['app-www'], ...node }],
    definitions: [
      { id: 'app-www', requires: { A: '{API_URL}', D: '{DB}' } },
      { id: 'api', provides: { API_URL: 'x' }, ...api },
    ],
    datastores: { DB: 'mysql://db' },
  });
  const found = viewDependencies(new ResolveScope(catalog), catalog.node('www') as CatalogNode);
  expect([...found.direct]).toEqual(direct);
});
