import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CatalogNode, CatalogReader } from './catalog-reader.ts';
import type { DirectChoice } from './node-view.ts';
import { ResolveScope } from './resolve-scope.ts';
import { resolve } from './resolve.ts';
import type { Resolved } from './resolve.ts';
import { catalogOf } from './testing.ts';
import type { NodeLiteral, RegionLiteral } from './testing.ts';

const API = { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' } };
const WWW: NodeLiteral = { name: 'www' };
const BALANCED: NodeLiteral = { name: 'www', balancer: { address: '127.0.0.1' } };

const api = (node: string, more: object = {}): NodeLiteral => ({
  name: node,
  address: `10.0.0.${node.at(-1)}`,
  services: [{ service: 'api', port: 1100, status: 'passing', ...more }],
});

function resolveOn(literal: RegionLiteral, required: string, previous?: DirectChoice): Resolved {
  const catalog: CatalogReader = catalogOf(literal);
  return resolve(new ResolveScope(catalog), catalog.node('www') as CatalogNode, required, previous);
}

describe('resolve() of datastores', () => {
  test.each([
    ['the region’s own value goes first', 'aws', 'own'],
    ['the value for every region where the region has none', 'joyent', 'any'],
  ])('%s', (_name, region, value) => {
    const datastores = [
      { name: 'DB', value: 'own', region: 'aws' },
      { name: 'DB', value: 'any' },
    ];
    const resolved = resolveOn({ region, nodes: [WWW], datastores }, 'DB');
    expect(resolved).toEqual({ required: 'DB', value, state: 'ready', secret: true, from: 'datastore DB' });
  });

  test('resolve() sees no datastore of another federation', () => {
    const datastores = [{ name: 'DB', value: 'x', federation: 'pci' }];
    expect(resolveOn({ nodes: [WWW], datastores }, 'DB')).toMatchObject({ state: 'missing', value: null, from: null });
  });

  test('resolve() prefers the datastore when a service provides the name as well', () => {
    const resolved = resolveOn(
      { nodes: [WWW, api('api-1')], definitions: [API], datastores: { API_URL: 'x' } },
      'API_URL',
    );
    expect(resolved).toMatchObject({ value: 'x', secret: true });
  });

  test('resolve() passes the datastore by when the name is qualified', () => {
    const literal = { nodes: [WWW, api('api-1')], definitions: [API], datastores: { API_URL: 'x' } };
    expect(resolveOn(literal, 'api.API_URL')).toMatchObject({ value: 'http://10.0.0.1:1100', secret: false });
  });
});

describe('resolve() behind the balancer', () => {
  const definitions = [{ ...API, localPort: 1100 }];

  test('resolve() gives the balancer’s address and local_port, whatever the instances are', () => {
    const values = [[BALANCED, api('api-1'), api('api-2')], [BALANCED, api('api-9', { port: 4000 })], [BALANCED]].map(
      (nodes) => resolveOn({ nodes, definitions }, 'API_URL').value,
    );
    expect(new Set(values)).toEqual(new Set(['http://127.0.0.1:1100']));
  });

  test('resolve() gives the same value where the node runs the service itself', () => {
    const nodes = [
      { ...BALANCED, runs: ['api'], services: [{ service: 'api', port: 1100, status: 'passing' as const }] },
    ];
    expect(resolveOn({ nodes, definitions }, 'API_URL')).toMatchObject({
      value: 'http://127.0.0.1:1100',
      state: 'ready',
    });
  });

  test.each(['critical', 'unknown'] as const)(
    'resolve() is waiting with a value when the only instance is %s',
    (status) => {
      const resolved = resolveOn({ nodes: [BALANCED, api('api-1', { status })], definitions }, 'API_URL');
      expect(resolved).toMatchObject({ value: 'http://127.0.0.1:1100', state: 'waiting', from: 'api (balancer)' });
    },
  );

  test('resolve() fills {ID}, {NODE}, {REGION} and {META.key} without looking at instances', () => {
    const provides = { X: '{id}/{Node}/{REGION}/{META.zone}/{MODE}' };
    const definition = { ...API, provides, localPort: 1100, meta: { zone: 'a' }, environment: { MODE: 'fast' } };
    const literal = { nodes: [BALANCED, api('api-1', { meta: { zone: 'b' } })], definitions: [definition] };
    expect(resolveOn(literal, 'X').value).toBe('api/www/aws/a/fast');
  });

  test('resolve() brackets an IPv6 balancer address', () => {
    const nodes = [{ ...WWW, balancer: { address: '::1' } }];
    expect(resolveOn({ nodes, definitions }, 'API_URL').value).toBe('http://[::1]:1100');
  });

  test('resolve() goes direct when the node runs no balancer, or the service has no local_port', () => {
    expect(resolveOn({ nodes: [WWW, api('api-1')], definitions }, 'API_URL').from).toBe('api@api-1 (direct)');
    expect(resolveOn({ nodes: [BALANCED, api('api-1')], definitions: [API] }, 'API_URL').from).toBe(
      'api@api-1 (direct)',
    );
  });
});

describe('resolve() direct', () => {
  const definitions = [API];
  const three = [WWW, api('api-1'), api('api-2'), api('api-3')];

  test('resolve() gives an instance’s address and port, and the choice to be kept', () => {
    const resolved = resolveOn({ nodes: [WWW, api('api-1')], definitions }, 'API_URL');
    expect(resolved).toMatchObject({ value: 'http://10.0.0.1:1100', state: 'ready', secret: false });
    expect(resolved.choice).toEqual({ instance: 'api-1/api', value: 'http://10.0.0.1:1100' });
  });

  test.each(['api-1', 'api-2', 'api-3'])('resolve() keeps %s while it is routable', (node) => {
    const previous = { instance: `${node}/api`, value: 'http://old' };
    const resolved = resolveOn({ nodes: three, definitions }, 'API_URL', previous);
    expect(resolved.choice?.instance).toBe(`${node}/api`);
    expect(resolved.value).toBe(`http://10.0.0.${node.at(-1)}:1100`);
  });

  test('resolve() leaves an instance that fails and does not return to it', () => {
    const first = resolveOn({ nodes: three, definitions }, 'API_URL').choice as DirectChoice;
    const failing = three.map((node) =>
      first.instance.startsWith(`${node.name}/`) ? api(node.name, { status: 'critical' }) : node,
    );
    const second = resolveOn({ nodes: failing, definitions }, 'API_URL', first).choice as DirectChoice;
    expect(second.instance).not.toBe(first.instance);
    expect(resolveOn({ nodes: three, definitions }, 'API_URL', second).choice).toEqual(second);
  });

  test('resolve() changes a choice only when its instance stops being routable, whatever flaps', () => {
    const status = fc.constantFrom('passing' as const, 'warning' as const, 'critical' as const);
    const property = fc.property(fc.array(fc.tuple(status, status, status), { maxLength: 12 }), (steps) => {
      let choice: DirectChoice | undefined;
      for (const statuses of steps) {
        const nodes = statuses.map((one, at) => api(`api-${at + 1}`, { status: one }));
        const routable = nodes.filter((_node, at) => statuses[at] !== 'critical').map((node) => `${node.name}/api`);
        const next = resolveOn({ nodes: [WWW, ...nodes], definitions }, 'API_URL', choice);
        const stays = choice !== undefined && (routable.length === 0 || routable.includes(choice.instance));
        if (stays) expect(next.choice?.instance).toBe(choice?.instance);
        else if (routable.length > 0) expect(routable).toContain(next.choice?.instance);
        expect(next.state).toBe(routable.length > 0 ? 'ready' : choice === undefined ? 'waiting' : 'stale');
        choice = next.choice;
      }
    });
    fc.assert(property, { numRuns: 50 });
  });

  test('resolve() keeps the last value as stale when none is routable', () => {
    const previous = { instance: 'api-1/api', value: 'http://10.0.0.1:1100' };
    const resolved = resolveOn({ nodes: [WWW], definitions }, 'API_URL', previous);
    expect(resolved).toMatchObject({ state: 'stale', value: previous.value, choice: previous });
    expect(resolved.from).toBe('api@api-1 (direct, last known)');
  });

  test('resolve() is waiting without a value when none ever was routable', () => {
    const resolved = resolveOn({ nodes: [WWW, api('api-1', { status: 'critical' })], definitions }, 'API_URL');
    expect(resolved).toMatchObject({ state: 'waiting', value: null });
  });

  test.each([
    ['draining', { draining: true }],
    ['in maintenance', { maintenance: true }],
    ['unknown', { status: 'unknown' }],
  ])('resolve() does not choose an instance that is %s', (_name, more) => {
    expect(resolveOn({ nodes: [WWW, api('api-1', more)], definitions }, 'API_URL').state).toBe('waiting');
  });

  test.each([
    ['the instance’s own', 4000, { PORT: '5000' }, 6000, 'h:4000'],
    ['environment.PORT', 0, { PORT: '5000' }, 6000, 'h:5000'],
    ['local_port', 0, {}, 6000, 'h:6000'],
  ])('resolve() takes %s port', (_name, port, environment, localPort, value) => {
    const definition = { id: 'api', provides: { X: 'h:{port}' }, environment, localPort };
    expect(resolveOn({ nodes: [WWW, api('api-1', { port })], definitions: [definition] }, 'X').value).toBe(value);
  });

  test.each([
    ['a port nobody says', 'http://{HOST}:{PORT}', { port: 0 }],
    ['a meta key it lacks', '{META.shard}', {}],
    ['a meta key that every object inherits', '{META.constructor}', {}],
    ['an own value that every object inherits', '{toString}', {}],
  ])('resolve() passes by an instance whose template needs %s', (_name, template, more) => {
    const literal = { nodes: [WWW, api('api-1', more)], definitions: [{ id: 'api', provides: { X: template } }] };
    expect(resolveOn(literal, 'X')).toMatchObject({ state: 'waiting', value: null });
  });

  test.each([
    ['http://{HOST}:{PORT}/x', 'http://[fd00::1]:1100/x'],
    ['http://{host}/x', 'http://[fd00::1]/x'],
    ['{HOST}:{PORT}', '[fd00::1]:1100'],
    ['{HOST}', 'fd00::1'],
    ['host={HOST} port={PORT}', 'host=fd00::1 port=1100'],
  ])('resolve() writes an IPv6 host in %s as %s', (template, value) => {
    const literal = {
      nodes: [WWW, api('api-1', { address: 'fd00::1' })],
      definitions: [{ id: 'api', provides: { X: template } }],
    };
    expect(resolveOn(literal, 'X').value).toBe(value);
  });

  test('resolve() takes instances of its own federation only', () => {
    const foreign = { ...api('api-1'), federation: 'pci' };
    expect(resolveOn({ nodes: [WWW, foreign], definitions }, 'API_URL').state).toBe('waiting');
  });
});

describe('resolve() of shared sets', () => {
  const shared = (id: string): object => ({ ...API, id, shared: true });
  const on = (node: string, service: string): NodeLiteral => ({ name: node, services: [{ service, port: 80 }] });

  test('resolve() counts services that all say shared as one set', () => {
    const definitions = [shared('api-a'), shared('api-b')] as { id: string }[];
    const resolved = resolveOn({ nodes: [WWW, on('n2', 'api-b')], definitions }, 'API_URL');
    expect(resolved).toMatchObject({ state: 'ready', from: 'api-b@n2 (direct)' });
  });

  test('resolve() takes the first by id of those that do not', () => {
    const definitions = [{ ...API, id: 'b' }, { ...API, id: 'a' }, shared('aa') as { id: string }];
    const resolved = resolveOn({ nodes: [WWW, on('n1', 'b'), on('n2', 'a')], definitions }, 'API_URL');
    expect(resolved.from).toBe('a@n2 (direct)');
  });
});

describe('resolve() of unknown names', () => {
  test.each(['NOPE', 'api.NOPE', 'nope.API_URL', 'api.constructor'])('resolve() says missing for %s', (required) => {
    expect(resolveOn({ nodes: [WWW, api('api-1')], definitions: [API] }, required).state).toBe('missing');
  });
});
