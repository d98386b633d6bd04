import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore, type Store } from '../../src/store/index.ts';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import { EtcdCluster } from '../cluster/etcd-cluster.ts';
import { DutyWriter } from '../cluster/faults/duty-writer.ts';
import { Findings } from '../cluster/faults/invariants.ts';
import { linearizableRuns } from '../cluster/faults/linearizable-runs.ts';
import { Seeded } from '../cluster/faults/seeded.ts';
import { StoreWitness } from '../cluster/faults/store-witness.ts';
import { requireComponent } from '../require-component.ts';
import { perTestStack } from '../per-test-stack.ts';

/** `npm run faults -- --linearizability 200` gives more. */
const RUNS = 10;
const SEED = 4;
const WITHIN_MS = 240_000;

requireComponent('etcd')('keys under faults', () => {
  let cluster: DroverCluster;
  beforeAll(async () => {
    cluster = await DroverCluster.start({ timing: 'lan' });
  }, WITHIN_MS);
  afterAll(() => cluster[Symbol.asyncDispose]());

  test(
    'are linearizable in every run',
    async () => {
      const said: string[] = [];
      const runs = await linearizableRuns({ cluster, runs: RUNS, seed: SEED, print: (line) => said.push(line) });
      const bad = runs.filter(({ verdict }) => verdict.violations.length > 0 || verdict.undecided.length > 0);
      expect(bad, `seed ${SEED}\n${said.join('\n')}`).toEqual([]);
      expect(runs.reduce((sum, { verdict }) => sum + verdict.operations, 0)).toBeGreaterThan(RUNS * 20);
    },
    WITHIN_MS,
  );

  test(
    'are found not to be when reads do not ask how far the store is',
    async () => {
      const print = (): void => undefined;
      const runs = await linearizableRuns({
        cluster,
        runs: 2,
        seed: SEED + 1,
        print,
        reads: 'stale',
        only: ['cut-server-from-store'],
      });
      expect(runs.flatMap(({ verdict }) => verdict.violations).length).toBeGreaterThan(0);
    },
    WITHIN_MS,
  );
});

const stack = perTestStack();

/** Two leaders one after the other; the first writes once more after the second. */
async function deposed(isUnfenced: boolean): Promise<Findings> {
  const etcd = stack.use(await EtcdCluster.start());
  const store: Store = stack.use(await openStore(etcd.url));
  const findings = new Findings(() => []);
  const witness = new StoreWitness(store, findings, () => false);
  const stop = new AbortController();
  const watching = witness.run(stop.signal);
  const shared = { store, ttlMs: 3_000, isUnfenced };
  const first = stack.use(new DutyWriter({ ...shared, name: 'first', random: new Seeded(1) }));
  const old = await first.elected();
  await first.write(old);
  await first.stall();
  const second = stack.use(new DutyWriter({ ...shared, name: 'second', random: new Seeded(2) }));
  await second.write(await second.elected());
  await first.write(old);
  await witness.check();
  stop.abort();
  await watching;
  return findings;
}

requireComponent('etcd')('a deposed leader', () => {
  test(
    'has no effect',
    async () => {
      const findings = await deposed(false);
      expect(findings.all).toEqual([]);
      expect(findings.count(8)).toBe(2);
    },
    WITHIN_MS,
  );

  test(
    'is found out when it writes without its fence',
    async () => {
      const findings = await deposed(true);
      expect(findings.all.map(({ invariant }) => invariant)).toEqual([8]);
    },
    WITHIN_MS,
  );
});
