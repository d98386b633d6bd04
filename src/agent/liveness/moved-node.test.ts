import { expect, test } from 'vitest';
import { TIMING } from '../../lib/index.ts';
import { instanceRecordOf, nodeRecordOf } from '../../registry/testing.ts';
import { startTestCluster } from '../testing-cluster.ts';

const { suspectedAfterMs } = TIMING.lan;

test('a server that notices late that a node has gone over to another one says nothing of it', async () => {
  await using cluster = await startTestCluster({ region: { probe: () => Promise.resolve('refuses') } });
  const registration = {
    node: nodeRecordOf({ name: 'n1', address: '10.0.0.1' }),
    instances: [instanceRecordOf({ service: 'api', port: 80 })],
    checks: [],
  };
  await cluster.attach(0, registration);
  await cluster.attach(1, registration);
  await cluster.settle();
  const said: unknown[] = [];
  for (const { parts } of cluster.servers)
    parts.feed.onApplied(() => said.push(parts.catalog.node('n1')?.alive.status));
  // Half of the connection was gone all the while: the silence is over long since.
  cluster.server(0).parts.liveness.unlinked('n1', 'nothing was heard', suspectedAfterMs);
  for (let step = 0; step < 50; step++) await cluster.clock.advance(100);
  expect(new Set(said)).not.toContain('suspected');
});
