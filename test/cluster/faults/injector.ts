import type { DroverCluster } from '../drover-cluster.ts';
import type { DroverProcess } from '../drover-process.ts';
import { faultText, type Fault, type FaultKind } from './plan.ts';
import { sleep } from './sleep.ts';
import { until } from '../until.ts';

/** How long a process may take to answer after it was started again, until a general healing waits for it. */
const READY_MS = 60_000;

type Undo = () => Promise<void>;

/** Does faults to a cluster and takes them back; knows what is broken, and since when each party is whole. */
export class Injector {
  readonly #cluster: DroverCluster;
  readonly #active = new Set<Fault>();
  readonly #wholeSinceMs = new Map<string, number>();
  /** Of those that were stopped or killed. */
  readonly #runsSinceMs = new Map<string, number>();
  readonly done: { readonly fault: Fault; readonly failed: string | null }[] = [];

  constructor(cluster: DroverCluster) {
    this.#cluster = cluster;
  }

  /** What is broken now, for people. */
  get active(): readonly string[] {
    return [...this.#active].map(faultText);
  }

  /** How long nothing has been done to a party; 0 while something is. */
  wholeForMs(party: string): number {
    if ([...this.#active].some((fault) => partiesOf(fault, this.#cluster).includes(party))) return 0;
    return performance.now() - (this.#wholeSinceMs.get(party) ?? -Infinity);
  }

  /** Whether a process has run, unstopped and answering, for so long; its lines may be cut. */
  readonly runs = (process: DroverProcess, forMs: number): boolean => {
    return process.running && performance.now() - (this.#runsSinceMs.get(process.name) ?? -Infinity) >= forMs;
  };

  /** Whether nothing has been done for so long to any party, or any but one. */
  readonly isQuiet = (but: string | null, forMs: number): boolean => {
    const { etcd, processes } = this.#cluster;
    const all = [...etcd.endpoints.map((_, index) => `etcd-${index}`), ...processes.map(({ name }) => name)];
    return all.every((party) => party === but || this.wholeForMs(party) >= forMs);
  };

  /** After a general healing: everything runs from now on. */
  healed(): void {
    const nowMs = performance.now();
    for (const name of this.#runsSinceMs.keys()) this.#runsSinceMs.set(name, nowMs);
  }

  /** Does a fault, waits, and takes it back. Never rejects: what could not be done is in `done`. */
  async run(fault: Fault): Promise<void> {
    this.#active.add(fault);
    const stopped = this.#stoppedBy(fault);
    if (stopped !== undefined) this.#runsSinceMs.set(stopped.name, Infinity);
    let failed: string | null = null;
    try {
      const undo = await ACTS[fault.kind](this.#cluster, fault.target);
      await sleep(fault.forMs);
      await undo();
    } catch (error) {
      failed = (error as Error).message;
    }
    this.#active.delete(fault);
    for (const party of partiesOf(fault, this.#cluster)) this.#wholeSinceMs.set(party, performance.now());
    this.done.push({ fault, failed });
    if (stopped !== undefined) void this.#goesOn(stopped);
  }

  #stoppedBy({ kind, target }: Fault): DroverProcess | undefined {
    if (kind === 'kill-server' || kind === 'pause-server') return this.#cluster.servers[target];
    return kind === 'kill-agent' ? this.#cluster.agents[target] : undefined;
  }

  /** It counts as running as soon as it answers, unless something was done to it meanwhile. */
  async #goesOn(process: DroverProcess): Promise<void> {
    const pid = process.pid;
    const isSame = (): boolean => process.pid === pid && process.running;
    const isReady = await until(async () => !isSame() || (await process.answers()), READY_MS).then(isSame, () => false);
    const isWhole = this.wholeForMs(process.name) > 0;
    if (isReady && isWhole) this.#runsSinceMs.set(process.name, performance.now());
  }
}

const nothing: Undo = async () => undefined;

const ACTS: Record<FaultKind, (cluster: DroverCluster, target: number) => Promise<Undo>> = {
  'kill-server': (cluster, target) => kill(processOf(cluster.servers, target)),
  'pause-server': async ({ servers }, target) => pause(processOf(servers, target)),
  'cut-server': (cluster, target) => cut(cluster, `server-${target}`),
  'cut-server-from-store': async (cluster, target) => {
    await cluster.cutFromStore(`server-${target}`);
    return () => cluster.healFromStore(`server-${target}`);
  },
  'kill-member': killMember,
  'pause-member': async ({ etcd }, target) => {
    etcd.pause(target);
    return async () => etcd.resume(target);
  },
  'cut-member': (cluster, target) => cut(cluster, `etcd-${target}`),
  'move-leader': async ({ etcd }, target) => {
    if ((await etcd.leader()) !== target) await etcd.moveLeader(target);
    return nothing;
  },
  'kill-leader': async (cluster) => killMember(cluster, Math.max(await cluster.etcd.leader(), 0)),
  compact: async ({ etcd }) => {
    const revisions = (await etcd.status()).map((status) => status?.revision ?? 0);
    await etcd.etcdctl('compact', String(Math.max(...revisions)));
    return nothing;
  },
  'lose-quorum': async (cluster, target) => {
    const others = cluster.etcd.endpoints.map((_, index) => index).filter((index) => index !== target);
    const undone = await Promise.all(others.map((index) => killMember(cluster, index)));
    return async () => void (await Promise.all(undone.map((undo) => undo())));
  },
  'cut-agent': (cluster, target) => cut(cluster, `agent-${target}`),
  'kill-agent': (cluster, target) => kill(processOf(cluster.agents, target)),
};

/** Those that are not whole while a fault goes on. */
function partiesOf({ kind, target }: Fault, { etcd }: DroverCluster): readonly string[] {
  if (kind.includes('server')) return [`server-${target}`];
  if (kind.endsWith('agent')) return [`agent-${target}`];
  return kind === 'compact' ? [] : etcd.endpoints.map((_, index) => `etcd-${index}`);
}

async function kill(one: DroverProcess): Promise<Undo> {
  await one.kill();
  return async () => one.begin();
}

async function pause(one: DroverProcess): Promise<Undo> {
  one.pause();
  return async () => one.resume();
}

async function cut(cluster: DroverCluster, party: string): Promise<Undo> {
  await cluster.cut(party);
  return () => cluster.heal(party);
}

async function killMember({ etcd }: DroverCluster, target: number): Promise<Undo> {
  await etcd.kill(target);
  return async () => etcd.begin(target);
}

function processOf(all: readonly DroverProcess[], index: number): DroverProcess {
  const found = all[index];
  if (found === undefined) throw new Error(`there is no process ${index}`);
  return found;
}
