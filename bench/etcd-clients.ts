import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { systemClock } from '../src/lib/index.ts';
import { ConnectEtcdClient } from '../src/store/etcd/connect-client.ts';
import {
  KV,
  RangeRequestSchema,
  RangeResponseSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from '../src/store/etcd/generated/rpc_pb.ts';
import type { RangeRequestInit, TxnRequestInit } from '../src/store/etcd/client.ts';
import { EtcdCluster } from '../test/cluster/etcd-cluster.ts';
import { RawClient } from './etcd-raw-client.ts';
import { median, percentile, rounded, type BenchOptions, type BenchResult } from './result.ts';

const ROUNDS = 15;
const ROUND_MS = 300;
const KEYS = 5000;
const VALUE = Buffer.from(JSON.stringify({ service: 'api', output: 'HTTP GET: 200 OK '.repeat(56) }));
const BATCH = 64;
/** The store writes batches: what a lone call costs counts for little. */
const BOUND = 2;

interface Contender extends AsyncDisposable {
  readonly name: string;
  txn(request: TxnRequestInit): Promise<unknown>;
  range(request: RangeRequestInit): Promise<unknown>;
}

/** What is done in turns by so many at a time. */
interface Workload {
  readonly name: string;
  readonly inFlight: number;
  /** What one turn counts for. */
  readonly unit: number;
  readonly doOnce: (contender: Contender, turn: number) => Promise<unknown>;
}

interface Round {
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly perSecond: number;
}

const WORKLOADS: readonly Workload[] = [
  { name: 'put', inFlight: 1, unit: 1, doOnce: (one, turn) => one.txn({ success: [putOf(turn)] }) },
  { name: 'put', inFlight: 64, unit: 1, doOnce: (one, turn) => one.txn({ success: [putOf(turn)] }) },
  { name: `put in transactions of ${BATCH}`, inFlight: 1, unit: BATCH, doOnce: (one, turn) => one.txn(batchOf(turn)) },
  { name: `put in transactions of ${BATCH}`, inFlight: 4, unit: BATCH, doOnce: (one, turn) => one.txn(batchOf(turn)) },
  { name: 'key of a range of 1,000', inFlight: 1, unit: 1000, doOnce: (one) => one.range(RANGE) },
];

const RANGE: RangeRequestInit = { key: keyOf(0), rangeEnd: Buffer.from('l'), limit: 1000n };

/**
 * What calls of etcd cost through connect-node, bare and as drover uses it, and through `node:http2` with the same messages: one
 * etcd, values of 1 KB, in interleaved rounds in one process; CPU is that of this process.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  await using etcd = await EtcdCluster.start();
  const endpoint = etcd.endpoints[0] as string;
  await using raw = startRaw(endpoint);
  await using bare = startConnect(endpoint);
  await using ours = await startOurs(endpoint);
  const contenders = [raw, bare, ours];
  for (let at = 0; at < KEYS; at += BATCH) await raw.txn(batchOf(at));
  const rows: BenchResult['rows'] = [];
  let ok = true;
  for (const workload of WORKLOADS) {
    const rounds = await race(workload, contenders, quick ? 1 : ROUNDS);
    const ratio = ratioOf(rounds, ours, raw);
    if (workload.unit === BATCH && ratio > BOUND) ok = false;
    rows.push(...contenders.map((one) => rowOf(workload, one, rounds, raw)));
  }
  const bound = `CPU a put in transactions of ${BATCH}: drover's ≤ ${BOUND} times node:http2's`;
  return { name: 'clients of etcd', bound, rows, ok };
}

type Rounds = readonly ReadonlyMap<Contender, Round>[];

async function race(workload: Workload, contenders: readonly Contender[], count: number): Promise<Rounds> {
  for (const one of contenders) await measure(workload, one, ROUND_MS * 2);
  const rounds = [];
  for (let round = 0; round < count; round++) {
    const measured = new Map<Contender, Round>();
    // Who is first goes round: a neighbour then burdens all alike.
    const turned = contenders.map((_, at) => contenders[(at + round) % contenders.length] as Contender);
    for (const one of turned) measured.set(one, await measure(workload, one, ROUND_MS));
    rounds.push(measured);
  }
  return rounds;
}

async function measure({ inFlight, unit, doOnce }: Workload, one: Contender, forMs: number): Promise<Round> {
  const times: number[] = [];
  const before = process.cpuUsage();
  const start = performance.now();
  let turn = Math.floor(start);
  const work = async (): Promise<void> => {
    while (performance.now() - start < forMs) {
      const began = performance.now();
      await doOnce(one, turn++);
      times.push(performance.now() - began);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, () => work()));
  const { user, system } = process.cpuUsage(before);
  const done = times.length * unit;
  return {
    cpuUs: (user + system) / done,
    p50Ms: percentile(times, 0.5),
    perSecond: (done * 1000) / (performance.now() - start),
  };
}

function rowOf(workload: Workload, one: Contender, rounds: Rounds, raw: Contender): BenchResult['rows'][number] {
  const own = rounds.map((round) => round.get(one) as Round);
  return {
    what: workload.name,
    'in flight': workload.inFlight,
    client: one.name,
    'CPU µs each': rounded(median(own.map(({ cpuUs }) => cpuUs)), 1),
    'to node:http2': rounded(ratioOf(rounds, one, raw)),
    'p50 ms a call': rounded(median(own.map(({ p50Ms }) => p50Ms))),
    'each second': Math.round(median(own.map(({ perSecond }) => perSecond))),
  };
}

function ratioOf(rounds: Rounds, one: Contender, other: Contender): number {
  return median(rounds.map((round) => (round.get(one) as Round).cpuUs / (round.get(other) as Round).cpuUs));
}

function keyOf(index: number): Buffer {
  return Buffer.from(`k/${String(index % KEYS).padStart(6, '0')}`);
}

function putOf(turn: number): NonNullable<TxnRequestInit['success']>[number] {
  return { request: { case: 'requestPut', value: { key: keyOf(turn), value: VALUE } } };
}

function batchOf(turn: number): TxnRequestInit {
  return { success: Array.from({ length: BATCH }, (_, at) => putOf(turn * BATCH + at)) };
}

function startRaw(endpoint: string): Contender {
  const client = new RawClient(endpoint);
  const txn = { input: TxnRequestSchema, output: TxnResponseSchema };
  const range = { input: RangeRequestSchema, output: RangeResponseSchema };
  return {
    name: 'node:http2',
    txn: (request) => client.call('KV/Txn', txn, request),
    range: (request) => client.call('KV/Range', range, request),
    async [Symbol.asyncDispose]() {
      await Promise.resolve(client[Symbol.dispose]());
    },
  };
}

function startConnect(endpoint: string): Contender {
  const baseUrl = `http://${endpoint}`;
  const sessionManager = new Http2SessionManager(baseUrl, { pingIntervalMs: 10_000, pingTimeoutMs: 3000 });
  const kv = createClient(KV, createGrpcTransport({ baseUrl, sessionManager, acceptCompression: [] }));
  return {
    name: 'connect-node',
    txn: (request) => kv.txn(request),
    range: (request) => kv.range(request),
    async [Symbol.asyncDispose]() {
      await Promise.resolve(sessionManager.abort());
    },
  };
}

async function startOurs(endpoint: string): Promise<Contender> {
  const client = await ConnectEtcdClient.start({
    settings: { endpoints: [endpoint], tls: null, user: null },
    clock: systemClock,
    random: Math.random,
    report: (error) => console.error(error),
  });
  return {
    name: 'drover (connect-node)',
    txn: (request) => client.txn(request),
    range: (request) => client.range(request),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}
