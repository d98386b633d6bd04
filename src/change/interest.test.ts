import { describe, expect, test } from 'vitest';
import type { AppliedChange, NodeView, Transition } from '../registry/index.ts';
import { definitionOf, instanceRecordOf, nodeRecordOf, startTestRegistry } from '../registry/testing.ts';
import type { TestRegistry } from '../registry/testing.ts';
import { Interest } from './interest.ts';
import type { Effect } from './interest.ts';

const KINDS = ['environment', 'balancer', 'listener'] as const;

const said = (effect: Effect): string[] => effect.interested.map(({ node, kind }) => `${kind} ${node}`).toSorted();

const stateOf = (view: NodeView | undefined): string | undefined =>
  view?.environments[0]?.variables.find((one) => one.name === 'API_URL')?.state;

/** Interest over a region, with what each revision did. */
function follow(region: TestRegistry): { interest: Interest; effects: Effect[]; changes: AppliedChange[] } {
  const interest = new Interest(region.catalog);
  const effects: Effect[] = [];
  const changes: AppliedChange[] = [];
  region.feed.onApplied((change) => {
    changes.push(change);
    effects.push(interest.apply(change));
  });
  return { interest, effects, changes };
}

const APP = { id: 'app-www', requires: { API_URL: '{API_URL}', DB: '{DB}' } };
const API = { id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' }, localPort: 1100 };
const STAGING = { name: 'staging', runs: ['app-www'], balancer: { address: '127.0.0.1' }, consumers: KINDS };
const API_1 = {
  name: 'api-1',
  address: '127.0.0.2',
  runs: ['api'],
  consumers: KINDS,
  services: [{ service: 'api', port: 1100, status: 'passing' as const }],
};

describe('Interest.apply()', () => {
  test('Interest.apply() names environment and listener of the nodes that require a datastore when it changes', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING, API_1], definitions: [APP, API] });
    const { effects } = follow(region);
    await region.registry.setDatastore('default', '-', 'DB', 'mysql://db2');
    expect(effects.map(said)).toEqual([['environment staging', 'listener staging']]);
    expect(effects[0]?.views.map((view) => view.node)).toEqual(['staging']);
  });

  test('Interest.apply() names the balancers only when a provider is scaled', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING, API_1], definitions: [APP, API] });
    const { effects } = follow(region);
    const node = nodeRecordOf({ name: 'api-3', address: '127.0.0.4' });
    const service = instanceRecordOf({ service: 'api', port: 1100 });
    await region.registry.registerExternal({ node, instance: service });
    expect(effects.flatMap(said)).toEqual(['balancer staging']);
  });

  test('Interest.apply() names nobody when what changed is not required by anyone', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING, API_1], definitions: [APP, API] });
    const { effects } = follow(region);
    await region.registry.setDatastore('default', '-', 'OTHER', 'x');
    await region.registry.putDefinitions([definitionOf({ id: 'lonely' })]);
    expect(effects.map(said)).toEqual([[], []]);
    expect(effects.flatMap((effect) => effect.views)).toEqual([]);
  });

  test('Interest.apply() names a consumer that waits for a name when a definition begins to provide it', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING], definitions: [APP] });
    const { effects } = follow(region);
    await region.registry.putDefinitions([definitionOf(API)]);
    expect(effects.flatMap(said)).toEqual(['balancer staging', 'environment staging', 'listener staging']);
  });

  test('Interest.apply() sends a view only when something in it is another', async () => {
    await using region = await startTestRegistry({
      nodes: [STAGING, { name: 'ext', services: [{ service: 'api', port: 1, status: 'critical' }] }],
      definitions: [APP, API],
      datastores: { DB: 'x' },
    });
    const { effects } = follow(region);
    await region.registry.registerExternal({ node: { name: 'ext', address: '127.0.0.1', meta: { a: 'b' } } });
    expect(effects.flatMap((effect) => effect.views)).toEqual([]);
    const definition = { ...API, localPort: null };
    await region.registry.putDefinitions([definitionOf(definition)]);
    await region.registry.removeDefinition('default', 'api');
    const states = effects.map((effect) => stateOf(effect.views.find((view) => view.node === 'staging')));
    expect(states).toEqual([undefined, 'waiting', 'missing']);
  });

  test('Interest gives a node without consumers a view once it has greeted, and then what its definitions say of checks', async () => {
    const checks = [{ tcp: '{HOST}:{PORT}', intervalMs: 1_000 }];
    await using region = await startTestRegistry({ nodes: [{ name: 'plain' }] });
    const { interest, effects } = follow(region);
    expect(interest.view('plain')).toBeUndefined();
    expect(interest.adopt('plain', {})?.checks).toEqual({});
    const instance = (service: string, port: number): Transition => ({
      type: 'instance',
      instance: instanceRecordOf({ service, port }),
      checks: [],
    });
    await region.registry.report('plain', [instance('web', 80), instance('other', 1)]);
    await region.registry.putDefinitions([definitionOf({ id: 'web', checks })]);
    await region.registry.report('plain', [instance('other', 2)]);
    await region.registry.report('plain', [instance('web', 81)]);
    await region.registry.removeDefinition('default', 'web');
    const offered = effects.flatMap(({ views }) => views.map((view) => view.checks['web']?.[0]?.tcp));
    expect(offered).toEqual(['127.0.0.1:80', '127.0.0.1:81', undefined]);
    expect(effects.flatMap(said)).toEqual([]);
  });

  test('Interest.apply() wants nothing of a node whose consumers have nothing to do', async () => {
    await using region = await startTestRegistry();
    const { interest, effects } = follow(region);
    const node = nodeRecordOf({ name: 'idle', consumers: KINDS });
    await region.registry.syncNode({ node, instances: [], checks: [] });
    expect(effects.flatMap(said)).toEqual([]);
    expect(interest.view('idle')?.node).toBe('idle');
  });

  test('Interest.apply() forgets a node that is deregistered', async () => {
    await using region = await startTestRegistry({ nodes: [STAGING], definitions: [APP] });
    const { interest } = follow(region);
    await region.registry.deregister({ node: 'staging' });
    expect(interest.view('staging')).toBeUndefined();
  });
});

describe('Interest.adopt()', () => {
  const direct = { ...API, localPort: null };
  const two = ['api-1', 'api-2'].map((name) => ({ ...API_1, name }));

  test.each(['api-1/api', 'api-2/api'])(
    'Interest.adopt() goes on with %s when the node had chosen it',
    async (instance) => {
      await using region = await startTestRegistry({ nodes: [STAGING, ...two], definitions: [APP, direct] });
      const interest = new Interest(region.catalog);
      const choices = { 'app-www/API_URL': { instance, value: 'http://old' } };
      expect(interest.adopt('staging', choices)?.choices['app-www/API_URL']?.instance).toBe(instance);
      expect(interest.view('staging')?.choices['app-www/API_URL']?.instance).toBe(instance);
    },
  );

  test('Interest.adopt() keeps the choices of a node that is not registered yet until it is', async () => {
    await using region = await startTestRegistry({ definitions: [APP, direct] });
    const { interest } = follow(region);
    const choice = { instance: 'api-9/api', value: 'http://last-known' };
    expect(interest.adopt('staging', { 'app-www/API_URL': choice })).toBeUndefined();
    const node = nodeRecordOf(STAGING);
    await region.registry.syncNode({ node, instances: [], checks: [] });
    expect(interest.view('staging')?.choices['app-www/API_URL']).toEqual(choice);
  });
});
