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
  expect(dependencies([])).toEqual({ services: [], definitions: ['default/app-www', 'default/log'], names: [] });
});

test('viewDependencies() has required names and who provides them, also those that do not exist', () => {
  const app = { id: 'app-www', requires: { A: '{API_URL}{NOPE}', B: '{db.DB_URL}' }, requiresServices: ['queue'] };
  const api = { id: 'api', provides: { API_URL: 'x' } };
  expect(dependencies([app, api])).toEqual({
    services: ['api', 'db', 'queue'],
    definitions: ['default/api', 'default/app-www', 'default/db', 'default/log', 'default/queue'],
    names: ['default/API_URL', 'default/NOPE'],
  });
});
