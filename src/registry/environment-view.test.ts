import { expect, test } from 'vitest';
import type { CatalogNode } from './catalog-reader.ts';
import { environmentView } from './environment-view.ts';
import type { Choices } from './environment-view.ts';
import { ResolveScope } from './resolve-scope.ts';
import { catalogOf } from './testing.ts';
import type { RegionLiteral } from './testing.ts';

const WWW = { name: 'www', balancer: { address: '127.0.0.1' } };

function viewOf(literal: RegionLiteral, previous: Choices = {}): ReturnType<typeof environmentView> {
  const catalog = catalogOf({ nodes: [WWW], ...literal });
  const definition = catalog.definition('default', 'app-www');
  if (definition === undefined) throw new Error('the literal has no app-www');
  return environmentView(new ResolveScope(catalog), catalog.node('www') as CatalogNode, definition.record, previous);
}

const names = (literal: RegionLiteral): string[] =>
  viewOf(literal).environment.variables.map((one) => `${one.name}=${one.value ?? '?'} ${one.state}`);

test('environmentView() gives own values in their order, then required ones by name, when both are there', () => {
  const app = { id: 'app-www', environment: { PORT: '8080', ENV: 'production' }, requires: { Z: '{DB}', A: 'x{DB}y' } };
  expect(names({ definitions: [app], datastores: { DB: 'db' } })).toEqual([
    'PORT=8080 own',
    'ENV=production own',
    'A=xdby ready',
    'Z=db ready',
  ]);
});

test('environmentView() marks a value secret whole when part of it is a datastore’s', () => {
  const api = { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 };
  const app = { id: 'app-www', requires: { BOTH: '{API_URL}?{DB}', URL: '{API_URL}' } };
  const { variables } = viewOf({ definitions: [app, api], datastores: { DB: 'db' } }).environment;
  expect(variables[0]).toEqual({
    name: 'BOTH',
    value: 'http://127.0.0.1:1100?db',
    state: 'waiting',
    secret: true,
    from: ['api (balancer)', 'datastore DB'],
    unresolved: [],
  });
  expect(variables[1]?.secret).toBe(false);
});

test('environmentView() gives no half value and names what is missing when one of two names is', () => {
  const app = { id: 'app-www', requires: { X: '{DB}/{NOPE}' } };
  const [variable] = viewOf({ definitions: [app], datastores: { DB: 'db' } }).environment.variables;
  expect(variable).toMatchObject({ value: null, state: 'missing', unresolved: ['NOPE'], from: ['datastore DB'] });
});

test('environmentView() takes every name of a service under its own name when a service is required', () => {
  const api = { id: 'api', provides: { API_URL: 'http://{HOST}', API_PORT: '{PORT}' }, localPort: 1100 };
  const app = { id: 'app-www', requiresServices: ['api'] };
  expect(names({ definitions: [app, api] })).toEqual(['API_PORT=1100 waiting', 'API_URL=http://127.0.0.1 waiting']);
});

test('environmentView() lets what is written down go before what is taken over from a service', () => {
  const api = { id: 'api', provides: { A: 'a', B: 'b', C: 'c' }, localPort: 1100 };
  const app = { id: 'app-www', environment: { A: 'own' }, requires: { B: '{DB}' }, requiresServices: ['api'] };
  expect(names({ definitions: [app, api], datastores: { DB: 'db' } })).toEqual([
    'A=own own',
    'B=db ready',
    'C=c waiting',
  ]);
});

test('environmentView() has a required variable once when the definition’s environment has it too', () => {
  const app = { id: 'app-www', environment: { X: 'own' }, requires: { X: '{DB}' } };
  expect(names({ definitions: [app], datastores: { DB: 'db' } })).toEqual(['X=db ready']);
});

test('environmentView() names the service when a required one is not defined', () => {
  const { variables } = viewOf({ definitions: [{ id: 'app-www', requiresServices: ['api'] }] }).environment;
  expect(variables).toEqual([
    { name: 'api.*', value: null, state: 'missing', secret: false, from: [], unresolved: ['api.*'] },
  ]);
});

test('environmentView() keeps text with braces and without names as it is', () => {
  const app = { id: 'app-www', requires: { X: '{{literal}}' } };
  expect(names({ definitions: [app] })).toEqual(['X={literal} ready']);
});

test('environmentView() says missing instead of failing when a stored template cannot be read', () => {
  expect(names({ definitions: [{ id: 'app-www', requires: { X: '{' } }] })).toEqual(['X=? missing']);
});

test('environmentView() keeps a choice for each direct name, and only for those', () => {
  const api = { id: 'api', provides: { API_URL: 'http://{HOST}' } };
  const app = { id: 'app-www', requires: { X: '{API_URL}', Y: '{DB}' } };
  const nodes = [WWW, { name: 'n', address: '10.0.0.1', services: ['api'] }];
  const literal = { nodes, definitions: [app, api], datastores: { DB: 'db' } };
  const gone = { instance: 'gone/api', value: 'http://gone' };
  const { choices } = viewOf(literal, { 'app-www/API_URL': gone, 'app-www/DB': gone, 'other/API_URL': gone });
  expect(choices).toEqual({ 'app-www/API_URL': { instance: 'n/api', value: 'http://10.0.0.1' } });
});
