import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { openStore, type Store } from '../../../src/store/index.ts';
import { DroverCluster } from '../drover-cluster.ts';
import { checkLinearizable, type Verdict } from '../linearizable.ts';
import { DnsClients } from './dns-clients.ts';
import { DutyWriter } from './duty-writer.ts';
import { Followers } from './followers.ts';
import { Injector } from './injector.ts';
import { Instances, SERVICE } from './instances.ts';
import { Findings } from './invariants.ts';
import { KvClients } from './kv-clients.ts';
import { LedgerClients } from './ledger-clients.ts';
import { LockClients } from './lock-clients.ts';
import { planFaults, type Fault, type FaultKind } from './plan.ts';
import { Provisions, provisioning } from './provisions.ts';
import { checkSameState } from './same-state.ts';
import { Seeded } from './seeded.ts';
import { sleep } from './sleep.ts';
import { StoreWitness } from './store-witness.ts';

/** How a run is. */
export interface FaultRunOptions {
  readonly seed: number;
  /** Of faults, in all; healing and looking come on top. */
  readonly durationMs: number;
  /** After so long of faults everything is healed and looked at. */
  readonly roundMs: number;
  readonly only?: readonly FaultKind[];
  readonly print: (line: string) => void;
}

const AGENTS = 3;
const MORTAL = [2];
const DUTY_TTL_MS = 5_000;
const KEYS = 4;
const OPEN_MS = 30_000;

/** What a run came to. */
export interface FaultRunResult {
  readonly findings: Findings;
  readonly faults: Injector['done'];
  readonly history: Verdict;
  readonly counts: Readonly<Record<string, number>>;
}

/** Runs a cluster under seeded faults and many kinds of clients, and holds it to the thirteen invariants. */
export async function runFaults(options: FaultRunOptions): Promise<FaultRunResult> {
  await using stack = new AsyncDisposableStack();
  const cluster = stack.use(
    await DroverCluster.start({
      agents: AGENTS,
      serverConfiguration: { session_ttl_min: '1s' },
      agentConfiguration: (index, { folder }) => (index === 0 ? provisioning(folder) : {}),
    }),
  );
  const folder = cluster.agents[0]?.folder as string;
  await Provisions.prepare(folder);
  const store = stack.use(await openPatiently(cluster.etcd.url));
  const run = new FaultRun(options, { cluster, store, folder });
  try {
    return await run.run();
  } finally {
    for (const { name, falls } of cluster.processes) for (const said of falls) options.print(`${name} fell: ${said}`);
  }
}

/** A busy machine may take longer to answer than a driver waits at its start. */
async function openPatiently(url: string): Promise<Store> {
  const untilMs = performance.now() + OPEN_MS;
  for (;;) {
    try {
      return await openStore(url);
    } catch (error) {
      if (performance.now() > untilMs) throw error;
    }
  }
}

interface Ground {
  readonly cluster: DroverCluster;
  readonly store: Store;
  readonly folder: string;
}

class FaultRun {
  readonly #options: FaultRunOptions;
  readonly #cluster: DroverCluster;
  readonly #store: Store;
  readonly #folder: string;
  readonly #random: Seeded;
  readonly #injector: Injector;
  readonly #findings: Findings;
  readonly #verdicts: Verdict[] = [];
  readonly #counts: Record<string, number> = {};

  constructor(options: FaultRunOptions, { cluster, store, folder }: Ground) {
    this.#options = options;
    this.#cluster = cluster;
    this.#store = store;
    this.#folder = folder;
    this.#random = new Seeded(options.seed);
    this.#injector = new Injector(cluster);
    this.#findings = new Findings(() => this.#injector.active);
  }

  async run(): Promise<FaultRunResult> {
    const stop = new AbortController();
    const { servers, agents } = this.#cluster;
    const shared = { servers, findings: this.#findings };
    const witness = new StoreWitness(this.#store, this.#findings, (key) => this.#isLasting(key));
    const provisions = new Provisions({ ...shared, random: this.#random.fork(), directory: this.#folder });
    await provisions.declare();
    const lasting = agents.filter((_, index) => !MORTAL.includes(index));
    const mortal = agents.filter((_, index) => MORTAL.includes(index));
    const { runs: answers, isQuiet } = this.#injector;
    const fork = (): Seeded => this.#random.fork();
    await using instances = await Instances.start({ ...shared, lasting, mortal, answers, isQuiet, random: fork() });
    const name = `${SERVICE}.service.consul`;
    const dns = new DnsClients({
      ...shared,
      processes: [...servers, ...lasting],
      name,
      answers,
      pauseMs: 150,
      random: fork(),
    });
    const paths = [
      '/v1/kv/register/?recurse',
      `/v1/health/service/${SERVICE}?passing`,
      '/v1/kv/pair/?recurse',
      '/v1/catalog/services',
    ];
    const isWhole = ({ name: server }: { readonly name: string }): boolean => isQuiet(null, 5_000) && server !== '';
    const followers = new Followers({ ...shared, paths, clients: 2 * paths.length, isWhole, random: fork() });
    const writers = ['a', 'b', 'c'].map(
      (writer) => new DutyWriter({ store: this.#store, name: `faults-${writer}`, random: fork(), ttlMs: DUTY_TTL_MS }),
    );
    await dns.prime();
    const lasts = [witness, dns, followers, instances, ...writers];
    const running = lasts.map((one) => one.run(stop.signal));
    try {
      for (let leftMs = this.#options.durationMs, round = 1; leftMs > 0; leftMs -= this.#options.roundMs, round++) {
        await this.#round(round, Math.min(leftMs, this.#options.roundMs), {
          witness,
          provisions,
          followers,
          instances,
        });
      }
    } finally {
      stop.abort();
      await Promise.all(running);
      await Promise.all(writers.map((writer) => writer[Symbol.asyncDispose]()));
    }
    const effects = writers.reduce((sum, { written }) => sum + written, 0);
    this.#add({
      batches: witness.batches,
      resyncs: witness.resyncs,
      'duty writes': effects,
      'blocked reads': followers.rounds,
    });
    return {
      findings: this.#findings,
      faults: this.#injector.done,
      history: merged(this.#verdicts),
      counts: this.#counts,
    };
  }

  async #round(
    round: number,
    durationMs: number,
    { witness, provisions, followers, instances }: Lookers,
  ): Promise<void> {
    const { servers, agents } = this.#cluster;
    const shared = { servers, findings: this.#findings, random: this.#random.fork() };
    const kv = new KvClients({ ...shared, prefix: `register/${round}`, clients: 5, keys: KEYS, pauseMs: 60 });
    const ledger = new LedgerClients({ ...shared, prefix: `ledger/${round}`, clients: 2, pauseMs: 150 });
    const locks = new LockClients({ ...shared, node: agents[0]?.name as string, clients: 3 });
    const stop = new AbortController();
    const working = [kv, ledger, locks, provisions].map((one) => one.run(stop.signal));
    await this.#break(round, durationMs);
    stop.abort();
    await Promise.all(working);
    this.#options.print(`${this.#at} healing`);
    await this.#cluster.healAll();
    this.#injector.healed();
    const equalMs = await checkSameState(servers, this.#findings);
    this.#options.print(`${this.#at} all servers are equal, ${equalMs} ms after all of them answered`);
    await instances.check();
    const outMs = await instances.checkDeath();
    this.#options.print(`${this.#at} an instance that died was out after ${outMs} ms`);
    await Promise.all([
      followers.check(),
      provisions.check(),
      instances.check(),
      locks.check(),
      witness.check(),
      ledger.check(),
    ]);
    const silent = await kv.readAll();
    this.#findings.expect(12, silent.length === 0, () => silent.join('; '));
    this.#judge(kv);
    this.#add({
      operations: kv.history.length,
      acknowledged: ledger.acknowledged.size,
      locks: locks.acquired,
      'guarded writes': locks.written,
    });
  }

  /** Does what the plan says, each fault at its time. */
  async #break(round: number, durationMs: number): Promise<void> {
    const { servers, agents, etcd } = this.#cluster;
    const { only } = this.#options;
    const random = new Seeded(this.#options.seed + round);
    const sizes = {
      servers: servers.length,
      agents: agents.length,
      members: etcd.endpoints.length,
      mortalAgents: MORTAL,
    };
    const plan = planFaults({ random, durationMs, ...sizes, ...(only === undefined ? {} : { only }) });
    const begunAtMs = performance.now();
    const doing = plan.map(async (fault) => {
      await sleep(fault.atMs - (performance.now() - begunAtMs));
      this.#say(fault);
      await this.#injector.run(fault);
    });
    await Promise.all(doing);
    await sleep(durationMs - (performance.now() - begunAtMs));
  }

  #judge(kv: KvClients): void {
    const verdict = checkLinearizable(kv.history);
    this.#verdicts.push(verdict);
    for (const { key } of verdict.violations) this.#keep(key, kv);
    for (let key = 0; key < verdict.keys; key++) this.#findings.expect(3, true, () => '');
    for (const { key, stuck, before } of verdict.violations)
      this.#findings.expect(3, false, () => `${key}: ${JSON.stringify(stuck)} after ${JSON.stringify(before)}`);
  }

  /** The whole history of a key that fits no order, for who looks for the cause. */
  #keep(key: string, { history }: KvClients): void {
    const file = path.join(tmpdir(), `drover-history-${this.#options.seed}-${key.replaceAll('/', '-')}.json`);
    writeFileSync(
      file,
      history
        .filter((one) => one.key === key)
        .map((one) => `${JSON.stringify(one)}\n`)
        .join(''),
    );
    this.#options.print(`the history of ${key} is in ${file}`);
  }

  #isLasting(key: string): boolean {
    return this.#cluster.agents.some(({ name }) => key === `inst/${name}/${SERVICE}-${name}`);
  }

  get #at(): string {
    return `${(this.#findings.nowMs / 1_000).toFixed(1).padStart(6)} s`;
  }

  #say({ kind, target, forMs }: Fault): void {
    this.#options.print(`${this.#at} ${kind} ${target} for ${(forMs / 1_000).toFixed(1)} s`);
  }

  #add(counts: Readonly<Record<string, number>>): void {
    for (const [name, count] of Object.entries(counts)) this.#counts[name] = (this.#counts[name] ?? 0) + count;
  }
}

interface Lookers {
  readonly witness: StoreWitness;
  readonly provisions: Provisions;
  readonly followers: Followers;
  readonly instances: Instances;
}

function merged(verdicts: readonly Verdict[]): Verdict {
  return {
    violations: verdicts.flatMap(({ violations }) => violations),
    undecided: verdicts.flatMap(({ undecided }) => undecided),
    operations: verdicts.reduce((sum, { operations }) => sum + operations, 0),
    keys: verdicts.reduce((sum, { keys }) => sum + keys, 0),
  };
}
