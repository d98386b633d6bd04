import { expect, test } from 'vitest';
import { instanceRecordOf, nodeRecordOf } from '../registry/testing.ts';
import { startTestCluster } from './testing-cluster.ts';

const N1 = {
  node: nodeRecordOf({ name: 'n1' }),
  instances: [instanceRecordOf({ service: 'api', port: 1100 })],
  checks: [],
};

test('startTestCluster() shows on every server what is written through one of them, at the same index', async () => {
  await using cluster = await startTestCluster({ servers: 3 });
  await cluster.attach(0, N1);
  await cluster.settle();
  for (const { parts } of cluster.servers) {
    expect(parts.catalog.instances('api')).toHaveLength(1);
    expect(parts.catalog.revision).toBe(cluster.server(0).parts.catalog.revision);
  }
});

test('TestCluster.stop() leaves the others and the store running, and start() brings the server back', async () => {
  await using cluster = await startTestCluster();
  const link = await cluster.attach(1, N1);
  await cluster.stop(1);
  await expect(link.closed).resolves.toBe('the server stops');
  await cluster.attach(0, N1);
  const { parts } = await cluster.start(1);
  expect(parts.catalog.node('n1')).toBeDefined();
});

test('startTestCluster() links every server with every other, each way', async () => {
  await using cluster = await startTestCluster({ servers: 3 });
  for (const { name, parts } of cluster.servers) {
    const others = ['s1', 's2', 's3'].filter((one) => one !== name);
    expect(parts.peers.status()).toEqual(
      others.map((server) => expect.objectContaining({ server, told: true, failure: null, heard: true })),
    );
  }
});
