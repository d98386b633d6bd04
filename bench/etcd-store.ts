import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { openStore, prefixRange, type Store } from '../src/store/index.ts';
import { KV } from '../src/store/etcd/generated/rpc_pb.ts';
import { EtcdCluster } from '../test/cluster/etcd-cluster.ts';
import { median, percentile, rounded, type BenchOptions, type BenchResult } from './result.ts';

const ROUNDS = 20;
const ROUND_MS = 250;
const KEYS = 5_000;
const WRITERS = 64;
const ENTRIES = 400_000;
const BOUND = { alone: 1.5, batched: 5, loadMs: 10_000 };

interface Contender {
  put(key: string, value: string): Promise<unknown>;
}

/**
 * The etcd store against bare puts with the same library on the same etcd: how long one client waits, what batches are worth
 * with many, and how soon a large region is read. In interleaved rounds.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  await using etcd = await EtcdCluster.start();
  await using store = await openStore(etcd.url);
  using bare = startBare(etcd.endpoints[0] as string);
  const ours: Contender = {
    put: (key, value) => store.commit({ compares: [], writes: [{ type: 'put', key, value }] }),
  };
  const rounds = quick ? 2 : ROUNDS;
  const alone = await compare(1, ours, bare, rounds);
  const many = await compare(WRITERS, ours, bare, rounds);
  const loaded = await load(store, etcd, quick ? 4_000 : ENTRIES);
  const ok = alone.p50 <= BOUND.alone && many.rate >= BOUND.batched && loaded.ms <= BOUND.loadMs;
  return {
    name: 'the etcd store against bare puts',
    bound: `p50 of a put at 1 client ≤ ${BOUND.alone} times; at ${WRITERS} ≥ ${BOUND.batched} times the bare rate; ${ENTRIES} entries read within ${BOUND.loadMs} ms`,
    rows: [alone.row, many.row, loaded.row],
    ok,
  };
}

interface Race {
  readonly p50: number;
  readonly rate: number;
  readonly row: Record<string, string | number>;
}

interface Turn {
  readonly p50Ms: number;
  readonly perSecond: number;
}

async function compare(writers: number, ours: Contender, bare: Contender, count: number): Promise<Race> {
  for (const one of [ours, bare]) await race(one, writers, ROUND_MS * 2);
  const turns: { ours: Turn; bare: Turn }[] = [];
  for (let round = 0; round < count; round++) {
    // Who is first alternates: what one leaves to the disk does not always burden the same other.
    const order = round % 2 === 0 ? [ours, bare] : [bare, ours];
    const measured = new Map<Contender, Turn>();
    for (const one of order) measured.set(one, await race(one, writers, ROUND_MS));
    turns.push({ ours: measured.get(ours) as Turn, bare: measured.get(bare) as Turn });
  }
  const p50 = median(turns.map((turn) => turn.ours.p50Ms / turn.bare.p50Ms));
  const rate = median(turns.map((turn) => turn.ours.perSecond / turn.bare.perSecond));
  const row = {
    what: `puts, ${writers} at once`,
    'p50 ms': rounded(median(turns.map((turn) => turn.ours.p50Ms))),
    'bare p50': rounded(median(turns.map((turn) => turn.bare.p50Ms))),
    'p50 ratio': rounded(p50),
    'puts/s': Math.round(median(turns.map((turn) => turn.ours.perSecond))),
    'bare puts/s': Math.round(median(turns.map((turn) => turn.bare.perSecond))),
    'rate ratio': rounded(rate),
  };
  return { p50, rate, row };
}

async function race(one: Contender, writers: number, forMs: number): Promise<Turn> {
  const start = performance.now();
  const times: number[] = [];
  const write = async (writer: number): Promise<void> => {
    for (let turn = writer; performance.now() - start < forMs; turn += 7_919) {
      const begun = performance.now();
      await one.put(keyOf(turn % KEYS), valueOf(turn));
      times.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: writers }, (_, writer) => write(writer * 97)));
  return { p50Ms: percentile(times, 0.5), perSecond: (times.length * 1_000) / (performance.now() - start) };
}

function startBare(endpoint: string): Contender & Disposable {
  const baseUrl = `http://${endpoint}`;
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs: 10_000, pingTimeoutMs: 3_000 });
  const kv = createClient(KV, createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [] }));
  return {
    put: (key, value) => kv.put({ key: Buffer.from(`bare/${key}`), value: Buffer.from(value) }),
    [Symbol.dispose]: () => sessionManager.abort(),
  };
}

/** 400,000 entries are what 200,000 instances with a check each have: how long a start takes to read them. */
async function load(store: Store, etcd: EtcdCluster, entries: number): Promise<{ ms: number; row: Race['row'] }> {
  for (let from = 0; from < entries; from += 25_600) await fill(store, from, Math.min(from + 25_600, entries));
  const opening = performance.now();
  await using fresh = await openStore(etcd.url);
  const opened = performance.now();
  const read = await fresh.read(prefixRange(''));
  const ms = performance.now() - opening;
  if (read.entries.length < entries) throw new Error(`${read.entries.length} of ${entries} were read`);
  return {
    ms,
    row: { what: `reads ${entries} entries`, 'open ms': Math.round(opened - opening), 'all ms': Math.round(ms) },
  };
}

async function fill(store: Store, from: number, to: number): Promise<void> {
  const commits: Promise<unknown>[] = [];
  for (let index = from; index < to; index += 64) {
    const writes = Array.from(
      { length: Math.min(64, to - index) },
      (_, at) => ({ type: 'put', key: `load/${index + at}`, value: valueOf(index + at) }) as const,
    );
    commits.push(store.commit({ compares: [], writes }));
  }
  await Promise.all(commits);
}

function keyOf(index: number): string {
  return `chk/node-${index % 997}/service:api-${index}`;
}

/** As long as the records of instances and checks are: about 300 bytes. */
function valueOf(turn: number): string {
  return JSON.stringify({ service: 'api', id: `api-${turn}`, output: `HTTP GET: 200 OK ${turn} `.repeat(10) });
}
