import { describe, expect, test } from 'vitest';
import type { ConsumerKind, Outcome } from '../change/index.ts';
import type { NodeLink } from '../link/index.ts';
import type { NodeRegistration } from '../registry/index.ts';
import { definitionOf, instanceRecordOf, nodeRecordOf } from '../registry/testing.ts';
import { startTestCluster, type TestCluster, type TestClusterOptions } from './testing-cluster.ts';

const STAGING: NodeRegistration = {
  node: nodeRecordOf({ name: 'staging', runs: ['app-www'], consumers: ['environment'] }),
  instances: [],
  checks: [],
};
const API = definitionOf({ id: 'api', provides: { API_URL: 'http://{HOST}:{PORT}' } });
const WWW = definitionOf({ id: 'app-www', requires: { API_URL: '{API_URL}', DB: '{DB}' } });

const say = (
  link: NodeLink,
  revision: number,
  outcome: Outcome = 'applied',
  kind: ConsumerKind = 'environment',
): void => link.receipt({ kind, revision, outcome });

/** A cluster in which `staging` is linked to the first server and has taken up all that there is. */
async function start(options: TestClusterOptions = {}): Promise<{ cluster: TestCluster; link: NodeLink }> {
  const cluster = await startTestCluster(options);
  const { registry } = cluster.server(0).parts;
  await registry.putDefinitions([API, WWW]);
  await registry.setDatastore('default', '-', 'DB', 'mysql://db1');
  const link = await cluster.attach(0, STAGING);
  say(link, cluster.server(0).parts.changes.revision);
  await cluster.clock.advance(200);
  return { cluster, link };
}

const setDatabase = (cluster: TestCluster, at = 0, value = 'mysql://db2'): Promise<number> =>
  cluster.server(at).parts.registry.setDatastore('default', '-', 'DB', value);

const converged = (cluster: TestCluster, revision: number): boolean[] =>
  cluster.servers.map(({ parts }) => parts.changes.converged(revision));

const wait = { timeoutMs: 60_000, provisions: true };

describe('Changes.converged()', () => {
  test('Changes.converged() is true on every server when the consumer said so to one of them', async () => {
    const { cluster, link } = await start({ servers: 3 });
    await using _ = cluster;
    const revision = await setDatabase(cluster, 1);
    await cluster.clock.advance(500);
    expect(converged(cluster, revision)).toEqual([false, false, false]);
    say(link, revision);
    await cluster.clock.advance(200);
    expect(converged(cluster, revision)).toEqual([true, true, true]);
  });

  test('Changes.converged() stays false where nothing was heard, and becomes true when the line is mended', async () => {
    const { cluster, link } = await start();
    await using _ = cluster;
    cluster.cutPeers(0, 1);
    const revision = await setDatabase(cluster, 1);
    say(link, revision);
    await cluster.clock.advance(5_000);
    expect(converged(cluster, revision)).toEqual([true, false]);
    expect(cluster.server(1).parts.changes.late()).toMatchObject([{ node: 'staging', kind: 'environment', revision }]);
    cluster.mendPeers(0, 1);
    await cluster.clock.advance(10_000);
    expect(converged(cluster, revision)).toEqual([true, true]);
    expect(cluster.server(1).parts.changes.late()).toEqual([]);
  });

  test('Changes.converged() knows after a restart what consumers said before it', async () => {
    const { cluster, link } = await start();
    await using _ = cluster;
    await cluster.stop(1);
    await cluster.start(1);
    cluster.cutPeers(0, 1);
    const revision = await setDatabase(cluster, 1);
    say(link, revision);
    await cluster.clock.advance(1_000);
    cluster.mendPeers(0, 1);
    await cluster.clock.advance(10_000);
    expect(converged(cluster, revision)).toEqual([true, true]);
  });
});

describe('Changes.trace()', () => {
  test('Changes.trace() shows on every server how long it took on the one that heard it, and which that was', async () => {
    const { cluster, link } = await start();
    await using _ = cluster;
    const revision = await setDatabase(cluster, 1);
    await cluster.clock.advance(300);
    say(link, revision);
    await cluster.clock.advance(200);
    const arrived = { node: 'staging', kind: 'environment', state: 'arrived', outcome: 'applied', tookMs: 300 };
    const [near, far] = cluster.servers.map(({ parts }) => parts.changes.trace(revision).consumers);
    expect(near).toEqual([arrived]);
    expect(far).toEqual([{ ...arrived, via: 's1' }]);
  });

  test('Changes.trace() shows on every server why a consumer did not take it up', async () => {
    const { cluster, link } = await start();
    await using _ = cluster;
    const revision = await setDatabase(cluster);
    link.receipt({ kind: 'environment', revision, outcome: 'refused', reason: 'no rights' });
    await cluster.clock.advance(200);
    for (const { parts } of cluster.servers)
      expect(parts.changes.trace(revision).consumers).toMatchObject([{ state: 'refused', reason: 'no rights' }]);
  });
});

describe('Changes.waitConverged()', () => {
  test('Changes.waitConverged() ends rightly when its consumer moves to another server', async () => {
    const { cluster } = await start({ servers: 3 });
    await using _ = cluster;
    const revision = await setDatabase(cluster, 1);
    const waiting = cluster.server(1).parts.changes.waitConverged(revision, wait);
    await cluster.stop(0);
    const moved = await cluster.attach(2, STAGING);
    let isOver = false;
    void waiting.then(() => (isOver = true));
    await cluster.clock.advance(2_000);
    expect(isOver).toBe(false);
    moved.onView((view) => say(moved, view.revision));
    await cluster.clock.advance(200);
    await expect(waiting).resolves.toEqual({ converged: true, pending: [] });
  });

  test('Changes.waitConverged() is over at once when the consumer said elsewhere that it failed', async () => {
    const { cluster, link } = await start();
    await using _ = cluster;
    const revision = await setDatabase(cluster);
    const waiting = cluster.server(1).parts.changes.waitConverged(revision, wait);
    say(link, revision, 'failed');
    await cluster.clock.advance(200);
    await expect(waiting).resolves.toMatchObject({ converged: false, pending: [{ node: 'staging', state: 'failed' }] });
  });
});

describe('dns', () => {
  const addInstance = (cluster: TestCluster): Promise<number> =>
    cluster.server(0).parts.registry.registerExternal({
      node: { name: 'lone', address: '127.0.0.9' },
      instance: instanceRecordOf({ service: 'lone', port: 1 }),
    });

  test('dns of every server that runs is waited for, and not that of one that is gone', async () => {
    const { cluster } = await start({ servers: 3 });
    await using _ = cluster;
    cluster.cutPeers(0, 1);
    const revision = await addInstance(cluster);
    await cluster.clock.advance(1_000);
    const states = cluster
      .server(0)
      .parts.changes.trace(revision)
      .consumers.map((one) => `${one.node} ${one.state}`);
    expect(states.toSorted()).toEqual(['s1 arrived', 's2 late', 's3 arrived']);
    await cluster.stop(1);
    await cluster.settle();
    expect(cluster.server(0).parts.changes.converged(revision)).toBe(true);
  });

  test('dns of a server that answers no DNS is not waited for once it said so', async () => {
    const cluster = await startTestCluster({ region: { serverConsumers: [] } });
    await using _ = cluster;
    const revision = await addInstance(cluster);
    const { consumers } = cluster.server(0).parts.changes.trace(revision);
    expect(consumers.map((one) => one.node)).toEqual(['s1']);
  });
});

describe('direct choices', () => {
  /** Two instances of api; staging has taken the value of the one that its server chose. */
  async function choosing(): Promise<{ cluster: TestCluster; link: NodeLink; chosen: string; other: string }> {
    const { cluster, link } = await start();
    for (const name of ['api-1', 'api-2']) await put(cluster, name, 80);
    say(link, cluster.server(0).parts.changes.revision);
    await cluster.clock.advance(200);
    const chosen = chosenBy(cluster, 0);
    return { cluster, link, chosen, other: chosen === 'api-1' ? 'api-2' : 'api-1' };
  }
  const chosenBy = (cluster: TestCluster, at: number): string =>
    cluster.server(at).parts.changes.view('staging')?.choices['app-www/API_URL']?.instance.split('/')[0] ?? '';
  const put = (cluster: TestCluster, name: string, port: number): Promise<number> =>
    cluster.server(0).parts.registry.registerExternal({
      node: { name, address: `127.0.1.${name.at(-1)}` },
      instance: instanceRecordOf({ service: 'api', port }),
    });

  test('a change of an instance that the node did not choose is known by all to concern it not', async () => {
    const { cluster, other } = await choosing();
    await using _ = cluster;
    const revision = await put(cluster, other, 81);
    await cluster.clock.advance(200);
    expect(converged(cluster, revision)).toEqual([true, true]);
    expect(
      cluster
        .server(0)
        .parts.changes.trace(revision)
        .consumers.map((one) => one.kind),
    ).not.toContain('environment');
  });

  test('a change of the chosen instance is waited for on every server, also on one that would have chosen another', async () => {
    const { cluster, chosen, other, link } = await choosing();
    await using _ = cluster;
    // The node sticks to the first that it had; a server that begins now chooses by its own lights.
    await cluster.stop(1);
    await cluster.start(1);
    await cluster.linked();
    expect([chosenBy(cluster, 0), chosenBy(cluster, 1)]).toEqual([chosen, other]);
    const revision = await put(cluster, chosen, 83);
    await cluster.clock.advance(500);
    expect(converged(cluster, revision)).toEqual([false, false]);
    say(link, revision);
    await cluster.clock.advance(200);
    expect(converged(cluster, revision)).toEqual([true, true]);
    const unconcerning = await put(cluster, other, 84);
    await cluster.clock.advance(200);
    expect(converged(cluster, unconcerning)).toEqual([true, true]);
  });
});
