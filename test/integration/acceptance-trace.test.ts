import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WireTrace } from '../../client/src/index.ts';
import { requireComponent } from '../require-component.ts';
import { signal } from './acceptance-processes.ts';
import { until } from '../until.ts';
import { startRegion } from './acceptance-region.ts';
import type { NodeName, TestRegion } from './acceptance-region.ts';
import { haproxyOf, membersOf } from './acceptance-traffic.ts';

requireComponent('haproxy')('drover trace', () => {
  let region: TestRegion;
  beforeAll(async () => {
    region = await startRegion();
  });
  afterAll(() => region?.[Symbol.asyncDispose]());

  const trace = async (revision: number): Promise<WireTrace> => {
    const { code, stdout } = await region.drover('trace', String(revision), '--json');
    expect(code).toBe(0);
    return JSON.parse(stdout) as WireTrace;
  };
  const registerApi = (node: NodeName): Promise<number> =>
    region.put('/v1/catalog/register', {
      Node: `outside-${node}`,
      Address: region.address(node),
      Service: { Service: 'api', Port: 1100 },
    });

  test('of a datastore lists environment and listener of the nodes that require it, and nobody else', async () => {
    const set = await region.drover('datastore:set', 'PRIMARY_DATABASE_URL', 'mysql://db2/app', '--wait=10s', '--json');
    expect(set.code).toBe(0);
    const { revision } = JSON.parse(set.stdout) as { revision: number };
    await region.arrived(revision);
    const found = await trace(revision);
    expect(consumersOf(found)).toEqual([
      'environment@api-1',
      'environment@api-2',
      'environment@staging',
      'listener@api-1',
      'listener@api-2',
      'listener@staging',
    ]);
    expect(found).toMatchObject({ arrived: 6, of: 6, converged: true });
    const text = await region.drover('trace', String(revision));
    expect(text.stdout).toMatch(/everywhere.*6 of 6|6 of 6.*everywhere/);
    expect(text.stdout).toContain('datastore PRIMARY_DATABASE_URL');
    expect(text.stdout).not.toMatch(/spare|balancer|dns|mysql/);
  });

  test('of a new api instance lists the balancers and dns', async () => {
    const revision = await registerApi('external');
    await region.arrived(revision);
    expect(consumersOf(await trace(revision))).toEqual(['balancer@staging', 'dns@staging']);
    await region.arrived(await region.put('/v1/catalog/deregister', { Node: 'outside-external' }));
  });

  test('names exactly the balancer whose HAProxy stands still, and its receipt follows', async () => {
    const { worker } = await haproxyOf(region, 'staging');
    signal(worker, 'SIGSTOP');
    let revision: number;
    try {
      revision = await registerApi('external');
      await until('dns has it', async () => (await trace(revision)).arrived > 0);
      const late = (await trace(revision)).consumers.filter((one) => one.state !== 'arrived');
      expect(late).toMatchObject([{ kind: 'balancer', node: 'staging', state: 'late' }]);
      const waited = await region.drover('node:maintenance', 'on', '--node', 'api-2', '--service', 'api', '--wait=3s');
      expect(waited.code).toBe(1);
      expect(waited.stderr).toContain('balancer@staging late');
      expect(waited.stderr).not.toMatch(/dns@|environment@|listener@/);
      expect(waited.tookMs).toBeGreaterThan(2_900);
      expect(waited.tookMs).toBeLessThan(8_000);
      const set = await region.drover('datastore:set', 'PRIMARY_DATABASE_URL', 'mysql://db3/app', '--wait=10s');
      expect(set.code, 'a balancer that stands still holds up nobody else').toBe(0);
    } finally {
      signal(worker, 'SIGCONT');
    }
    await region.arrived(revision);
    expect(await haproxyOf(region, 'staging')).toMatchObject({ worker });
    const off = await region.drover('node:maintenance', 'off', '--node', 'api-2', '--service', 'api', '--wait=10s');
    expect(off.code).toBe(0);
    expect(await membersOf(region, 'staging', 'api')).toEqual(['api-1/api', 'api-2/api', 'outside-external/api']);
    await region.arrived(await region.put('/v1/catalog/deregister', { Node: 'outside-external' }));
  });
});

const consumersOf = ({ consumers }: WireTrace): string[] =>
  consumers.map(({ kind, node }) => `${kind}@${node}`).toSorted();
