import { describe, expect, test } from 'vitest';
import { computeView, NO_FINGERPRINTS } from './compute-view.ts';
import { listenerWants } from './listener-wants.ts';
import type { NodeView } from './node-view.ts';
import { catalogOf } from './testing.ts';
import type { NodeLiteral, RegionLiteral } from './testing.ts';

/** The documents' own example: app-www on staging, api on two nodes. */
const EXAMPLE = {
  definitions: [
    {
      id: 'app-www',
      environment: { ENV: 'production', PORT: '8080' },
      requires: { DATABASE_URL: '{PRIMARY_DATABASE_URL}', API_URL: '{READONLY_API_URL}' },
      provides: { WWW_URL: 'http://{HOST}:{PORT}/some-mount' },
      localPort: 8080,
    },
    {
      id: 'api',
      environment: { ENV: 'production', PORT: '1100' },
      requires: { DATABASE_URL: '{PRIMARY_DATABASE_URL}', ELASTICSEARCH_URL: '{API_ELASTICSEARCH_CLUSTER_URL}' },
      provides: { API_URL: 'http://{HOST}:{PORT}', READONLY_API_URL: 'http://{HOST}:{PORT}' },
      localPort: 1100,
    },
  ],
  datastores: {
    PRIMARY_DATABASE_URL: 'mysql://user:password@host:port/database',
    API_ELASTICSEARCH_CLUSTER_URL: 'http://elastic-ec2-01,elastic-ec2-02:9200',
  },
};
const STAGING: NodeLiteral = {
  name: 'staging',
  consumers: ['listener'],
  runs: ['app-www'],
  balancer: { address: '127.0.0.1' },
  services: [
    { service: 'app-www', port: 8080, status: 'passing' },
    { service: 'elasticsearch', port: 9200 },
  ],
};
const api = (name: string, more: object = {}): NodeLiteral => ({
  name,
  address: `127.0.0.${name.at(-1)}`,
  runs: ['api'],
  balancer: { address: '127.0.0.1' },
  services: [{ service: 'api', port: 1100, status: 'passing', ...more }],
});

function viewOf(nodes: readonly NodeLiteral[], literal: RegionLiteral = {}, name = 'staging'): NodeView {
  return computeView(catalogOf({ ...EXAMPLE, nodes, ...literal }), name, null) as NodeView;
}

describe('computeView() of the documents’ example', () => {
  const view = viewOf([STAGING, api('api-2'), api('api-3')]);

  test('computeView() gives the three values of the document', () => {
    const [www] = view.environments;
    expect(www?.service).toBe('app-www');
    expect(www?.variables.map(({ name, value }) => `${name}=${value}`)).toEqual([
      'ENV=production',
      'PORT=8080',
      'API_URL=http://127.0.0.1:1100',
      'DATABASE_URL=mysql://user:password@host:port/database',
    ]);
    expect(www?.variables.filter((one) => one.secret).map((one) => one.name)).toEqual(['DATABASE_URL']);
  });

  test('computeView() routes api through the balancer and nothing else', () => {
    expect(view.balancer?.frontends.map((one) => [one.service, one.port, one.members.length])).toEqual([
      ['api', 1100, 2],
    ]);
  });

  test('computeView() tells the node’s services, assigned and registered', () => {
    expect(view.services).toEqual([
      { id: 'app-www', assigned: true, registered: true },
      { id: 'elasticsearch', assigned: false, registered: true },
    ]);
    expect(view).toMatchObject({ node: 'staging', address: '127.0.0.1', federation: 'default', region: 'aws' });
  });

  test('computeView() keeps the listener quiet and the environment unchanged when api is scaled', () => {
    const scaled = viewOf([STAGING, api('api-2'), api('api-3'), api('api-4')]);
    expect(scaled.fingerprints.environment).toBe(view.fingerprints.environment);
    expect(scaled.fingerprints.listener).toBe(view.fingerprints.listener);
    expect(scaled.fingerprints.balancer).not.toBe(view.fingerprints.balancer);
  });

  test('computeView() wants a provision when the datastore changes, and says why', () => {
    const datastores = { ...EXAMPLE.datastores, PRIMARY_DATABASE_URL: 'mysql://db2' };
    const changed = viewOf([STAGING, api('api-2'), api('api-3')], { datastores });
    expect(listenerWants(view.listener, changed.listener).causes).toEqual(['environment of app-www']);
    expect(changed.fingerprints.balancer).toBe(view.fingerprints.balancer);
  });
});

describe('computeView()', () => {
  test('computeView() is null for an unknown node', () => {
    expect(computeView(catalogOf(EXAMPLE), 'nobody', null)).toBeNull();
  });

  test('computeView() has the fingerprints of nothing for a node that runs nothing', () => {
    expect(viewOf([{ name: 'staging', balancer: { address: '127.0.0.1' } }]).fingerprints).toMatchObject(
      NO_FINGERPRINTS,
    );
  });

  test('computeView() has an environment for what is assigned before it ever started', () => {
    const view = viewOf([{ name: 'staging', runs: ['api', 'unheard-of'] }]);
    expect(view.environments.map((one) => one.service)).toEqual(['api']);
    expect(view.services.map((one) => one.id)).toEqual(['api', 'unheard-of']);
  });

  test('computeView() changes the environment’s fingerprint when a value appears or a name goes missing', () => {
    const without = viewOf([STAGING], { datastores: {} });
    const withOne = viewOf([STAGING]);
    expect(without.fingerprints.environment).not.toBe(withOne.fingerprints.environment);
  });

  test('computeView() wants nothing when a direct value merely goes stale', () => {
    const definitions = EXAMPLE.definitions.map((one) => ({ ...one, localPort: null }));
    const before = viewOf([STAGING, api('api-2')], { definitions });
    const catalog = catalogOf({ ...EXAMPLE, definitions, nodes: [STAGING, api('api-2', { status: 'critical' })] });
    const after = computeView(catalog, 'staging', before) as NodeView;
    expect(after.environments[0]?.variables.find((one) => one.name === 'API_URL')?.state).toBe('stale');
    expect(after.fingerprints).toEqual(before.fingerprints);
    expect(after.choices).toEqual(before.choices);
  });

  test('computeView() has membership as a listener input only where the node says so', () => {
    const plain = viewOf([STAGING, api('api-2')]);
    expect(plain.listener.membership).toBeNull();
    const member = { ...STAGING, membership: true };
    const before = viewOf([member, api('api-2')]);
    const scaled = viewOf([member, api('api-2'), api('api-3')]);
    expect(listenerWants(before.listener, scaled.listener).causes).toEqual(['membership of api']);
  });

  test('computeView() has listener inputs only for a node with a listener, all alike for services that nobody defined', () => {
    const without = viewOf([{ ...STAGING, consumers: ['environment'] }]);
    expect(without.listener).toMatchObject({ services: {}, membership: null });
    const { services } = viewOf([STAGING]).listener;
    expect(Object.keys(services)).toEqual(['app-www', 'elasticsearch']);
    expect(services['elasticsearch']).toMatchObject({ definition: '', assigned: false });
    expect(services['app-www']?.digest).not.toBe(services['elasticsearch']?.digest);
  });

  test('computeView() has membership of a service whose name every object inherits', () => {
    const definitions = [
      { id: 'constructor', provides: { X: '{HOST}' } },
      { id: 'www', requires: { X: '{X}' } },
    ];
    const nodes: NodeLiteral[] = [{ name: 'staging', consumers: ['listener'], runs: ['www'], membership: true }];
    expect(Object.keys(viewOf(nodes, { definitions }).listener.membership ?? {})).toEqual(['constructor']);
  });

  test.each<[string, object, boolean]>([
    ['a flapping check', { status: 'critical' }, false],
    ['a drain', { draining: true }, true],
  ])('computeView() sees %s in membership: %s', (_name, more, wanted) => {
    const member = { ...STAGING, membership: true };
    const before = viewOf([member, api('api-2')]);
    expect(listenerWants(before.listener, viewOf([member, api('api-2', more)]).listener).wanted).toBe(wanted);
  });

  test('computeView() is plain data that survives a structured clone', () => {
    const view = viewOf([STAGING, api('api-2')]);
    expect(structuredClone(view)).toEqual(view);
    expect(JSON.parse(JSON.stringify(view))).toEqual(view);
  });

  test('computeView() sees the instances of its own federation only', () => {
    const pci = { ...api('api-2'), federation: 'pci' };
    expect(viewOf([STAGING, pci]).balancer?.frontends[0]?.members).toEqual([]);
    const datastores = [{ name: 'PRIMARY_DATABASE_URL', value: 'x', federation: 'pci' }];
    const [www] = viewOf([STAGING], { datastores }).environments;
    expect(www?.variables.find((one) => one.name === 'DATABASE_URL')?.state).toBe('missing');
  });
});
