import { describe, expect, test } from 'vitest';
import { balancerView } from './balancer-view.ts';
import { nodeServices } from './compute-view.ts';
import type { BalancerView, Frontend } from './node-view.ts';
import type { CatalogNode } from './catalog-reader.ts';
import { ResolveScope } from './resolve-scope.ts';
import { catalogOf } from './testing.ts';
import type { DefinitionLiteral, InstanceLiteral, NodeLiteral, RegionLiteral } from './testing.ts';

const APP = { id: 'app-www', requires: { API_URL: '{API_URL}' } };
const API = { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 };
const WWW: NodeLiteral = { name: 'www', balancer: { address: '127.0.0.1' }, runs: ['app-www'] };

const on = (name: string, more: Partial<InstanceLiteral> = {}): NodeLiteral => ({
  name,
  address: `10.0.0.${name.at(-1)}`,
  services: [{ service: 'api', port: 1100, status: 'passing', ...more }],
});

function computed(literal: RegionLiteral, previous: BalancerView | null = null): ReturnType<typeof balancerView> {
  const catalog = catalogOf({ definitions: [APP, API], ...literal });
  const node = catalog.node('www') as CatalogNode;
  const definitions = nodeServices(catalog, node).flatMap((one) => one.definition ?? []);
  return balancerView(new ResolveScope(catalog), node, definitions, previous);
}

const viewOf = (literal: RegionLiteral, previous?: BalancerView): BalancerView =>
  computed(literal, previous ?? null).view as BalancerView;

const keysOf = (frontend: Frontend | undefined): string[] => (frontend?.members ?? []).map((member) => member.key);

describe('balancerView() frontends', () => {
  test('balancerView() carries a required service with local_port', () => {
    expect(viewOf({ nodes: [WWW, on('api-1')] })).toEqual({
      address: '127.0.0.1',
      frontends: [
        {
          service: 'api',
          port: 1100,
          protocol: 'http',
          members: [
            { key: 'api-1/api', node: 'api-1', id: 'api', address: '10.0.0.1', port: 1100, weight: 1, draining: false },
          ],
          panicking: false,
        },
      ],
      skipped: [],
    });
  });

  test.each<[string, DefinitionLiteral, DefinitionLiteral]>([
    ['has no local_port', APP, { ...API, localPort: null }],
    ['is required by nobody here', { id: 'app-www' }, API],
    ['is of another federation', APP, { ...API, federation: 'pci' }],
  ])('balancerView() has no frontend for a service that %s', (_name, app, api) => {
    expect(viewOf({ nodes: [WWW, on('api-1')], definitions: [app, api] }).frontends).toEqual([]);
  });

  test('balancerView() has no frontend for what its services require only through others', () => {
    const db = { id: 'db', provides: { DB: 'x' }, localPort: 3306 };
    const definitions = [APP, { ...API, requires: { DB: '{DB}' } }, db];
    expect(viewOf({ nodes: [WWW], definitions }).frontends.map((one) => one.service)).toEqual(['api']);
  });

  test('balancerView() carries a service whose name a datastore takes over only when it is required as such', () => {
    const datastores = { API_URL: 'x' };
    expect(viewOf({ nodes: [WWW], datastores }).frontends).toEqual([]);
    const definitions = [{ ...APP, requiresServices: ['api'] }, API];
    expect(viewOf({ nodes: [WWW], datastores, definitions }).frontends).toHaveLength(1);
  });

  test('balancerView() is null when the node runs no balancer', () => {
    expect(computed({ nodes: [{ ...WWW, balancer: null }] }).view).toBeNull();
  });

  test('balancerView() keeps an empty frontend when nothing is registered', () => {
    const [frontend] = viewOf({ nodes: [WWW] }).frontends;
    expect(frontend).toMatchObject({ service: 'api', members: [], panicking: false });
  });
});

describe('balancerView() members', () => {
  test.each<[string, Partial<InstanceLiteral>, string[]]>([
    ['passing', {}, ['api-1/api']],
    ['warning', { status: 'warning' }, ['api-1/api']],
    ['draining', { draining: true }, ['api-1/api']],
    ['critical', { status: 'critical' }, []],
    ['unknown', { status: 'unknown' }, []],
    ['in maintenance', { maintenance: true }, []],
  ])('balancerView() treats an instance that is %s', (_name, more, keys) => {
    expect(keysOf(viewOf({ nodes: [WWW, on('api-1', more)] }).frontends[0])).toEqual(keys);
  });

  test('balancerView() takes the warning weight when warning, and marks draining ones', () => {
    const weights = { passing: 10, warning: 2 };
    const nodes = [WWW, on('api-1', { weights, status: 'warning' }), on('api-2', { weights, draining: true })];
    expect(viewOf({ nodes }).frontends[0]?.members).toMatchObject([
      { weight: 2, draining: false },
      { weight: 10, draining: true },
    ]);
  });

  test('balancerView() takes an instance’s own address and port', () => {
    const [frontend] = viewOf({ nodes: [WWW, on('api-1', { address: '10.9.9.9', port: 4000 })] }).frontends;
    expect(frontend?.members[0]).toMatchObject({ address: '10.9.9.9', port: 4000 });
  });

  test('balancerView() leaves out instances of a node that is down', () => {
    expect(keysOf(viewOf({ nodes: [WWW, { ...on('api-1'), alive: 'down' }] }).frontends[0])).toEqual([]);
  });
});

describe('balancerView() ports', () => {
  const selfRun = (more: Partial<InstanceLiteral> = {}): NodeLiteral => ({
    ...WWW,
    services: [{ service: 'api', port: 1100, ...more }],
  });

  test('balancerView() leaves the port to the service when the node itself runs it there', () => {
    expect(viewOf({ nodes: [selfRun(), on('api-1')] })).toMatchObject({
      frontends: [],
      skipped: [{ service: 'api', reason: 'this node runs api on port 1100 itself' }],
    });
  });

  test('balancerView() goes by declaration when the service that the node is to run has not started yet', () => {
    const www = { ...WWW, runs: ['app-www', 'api'] };
    expect(viewOf({ nodes: [www, on('api-1')] }).frontends).toEqual([]);
  });

  test('balancerView() carries the service when its instance here has another port', () => {
    expect(keysOf(viewOf({ nodes: [selfRun({ port: 4000 }), on('api-1')] }).frontends[0])).toEqual([
      'api-1/api',
      'www/api',
    ]);
  });

  test('balancerView() carries the service when it binds its node’s address only', () => {
    const definitions = [APP, { ...API, bind: 'node' as const }];
    expect(viewOf({ nodes: [selfRun(), on('api-1')], definitions }).frontends).toHaveLength(1);
  });

  test('balancerView() names the holder when another service of the node has the port, and keeps the rest', () => {
    const app = { ...APP, environment: { PORT: '1100' }, requiresServices: ['db'] };
    const db = { id: 'db', provides: {}, localPort: 3306 };
    expect(viewOf({ nodes: [WWW], definitions: [app, API, db] })).toMatchObject({
      frontends: [{ service: 'db' }],
      skipped: [{ service: 'api', reason: 'port 1100 is held by app-www, which this node runs' }],
    });
  });

  test('balancerView() gives a port that two services want to the first by id', () => {
    const other = { ...API, id: 'api2', provides: { OTHER: 'x' } };
    const app = { ...APP, requires: { A: '{API_URL}{OTHER}' } };
    expect(viewOf({ nodes: [WWW], definitions: [app, API, other] })).toMatchObject({
      frontends: [{ service: 'api' }],
      skipped: [{ service: 'api2', reason: 'port 1100 is already that of api' }],
    });
  });

  test('balancerView() makes one frontend of a shared set', () => {
    const definitions = [APP, { ...API, shared: true }, { ...API, id: 'api-b', shared: true }];
    const view = viewOf({ nodes: [WWW, on('api-1'), on('api-2', { service: 'api-b' })], definitions });
    expect(view).toMatchObject({ frontends: [{ service: 'api' }], skipped: [] });
    expect(keysOf(view.frontends[0])).toEqual(['api-1/api', 'api-2/api-b']);
  });
});

describe('balancerView() with panic: keep', () => {
  const definitions = [APP, { ...API, panic: 'keep' as const }];
  const both = [on('api-1'), on('api-2')];
  const critical = both.map((node) => on(node.name, { status: 'critical' }));

  test('balancerView() keeps the last members when all became critical', () => {
    const before = viewOf({ nodes: [WWW, on('api-1'), on('api-2', { status: 'critical' })], definitions });
    const [frontend] = viewOf({ nodes: [WWW, ...critical], definitions }, before).frontends;
    expect(keysOf(frontend)).toEqual(['api-1/api']);
    expect(frontend?.panicking).toBe(true);
  });

  test('balancerView() keeps all that are critical when no last members are known', () => {
    expect(keysOf(viewOf({ nodes: [WWW, ...critical], definitions }).frontends[0])).toHaveLength(2);
  });

  test('balancerView() lets go of last members that are deregistered or in maintenance', () => {
    const before = viewOf({ nodes: [WWW, ...both], definitions });
    const nodes = [WWW, on('api-2', { maintenance: true })];
    expect(viewOf({ nodes, definitions }, before).frontends[0]).toMatchObject({ members: [], panicking: false });
  });

  test('balancerView() never takes in what is critical and was no member, however often it is asked', () => {
    const first = viewOf({ nodes: [WWW, on('api-1'), on('api-2', { status: 'critical' })], definitions });
    const nodes = [WWW, on('api-2', { status: 'critical' })];
    const second = viewOf({ nodes, definitions }, first);
    expect(second.frontends[0]).toMatchObject({ members: [], panicking: false });
    expect(viewOf({ nodes, definitions }, second)).toEqual(second);
  });

  test('balancerView() ends the panic when one is routable again', () => {
    const before = viewOf({ nodes: [WWW, ...critical], definitions });
    const nodes = [WWW, on('api-1', { status: 'critical' }), on('api-2')];
    expect(viewOf({ nodes, definitions }, before).frontends[0]).toMatchObject({
      members: [{ key: 'api-2/api' }],
      panicking: false,
    });
  });

  test('balancerView() empties the backend without it', () => {
    const before = viewOf({ nodes: [WWW, ...both] });
    expect(viewOf({ nodes: [WWW, ...critical] }, before).frontends[0]?.members).toEqual([]);
  });
});

describe('balancerView() fingerprint', () => {
  const base = computed({ nodes: [WWW, on('api-1')] }).fingerprint;

  test.each<[string, RegionLiteral]>([
    ['a member comes', { nodes: [WWW, on('api-1'), on('api-2')] }],
    ['a member drains', { nodes: [WWW, on('api-1', { draining: true })] }],
    ['a member’s port changes', { nodes: [WWW, on('api-1', { port: 4 })] }],
    ['the balancer’s address changes', { nodes: [{ ...WWW, balancer: { address: '127.0.0.9' } }, on('api-1')] }],
    ['the protocol changes', { nodes: [WWW, on('api-1')], definitions: [APP, { ...API, protocol: 'tcp' }] }],
  ])('balancerView() has another fingerprint when %s', (_name, literal) => {
    expect(computed(literal).fingerprint).not.toBe(base);
  });

  test('balancerView() has the same fingerprint when only what is not routed changes', () => {
    const nodes = [WWW, on('api-1', { tags: ['x'], meta: { a: 'b' } }), on('api-2', { status: 'critical' })];
    expect(computed({ nodes }).fingerprint).toBe(base);
  });

  test('balancerView() has the fingerprint of nothing when there is no frontend or no balancer', () => {
    const definitions = [{ id: 'app-www' }];
    const nothing = computed({ nodes: [{ ...WWW, balancer: null }] }).fingerprint;
    expect(computed({ nodes: [WWW], definitions }).fingerprint).toBe(nothing);
  });
});
