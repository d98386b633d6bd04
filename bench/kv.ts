import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { requestsPerCpuSecond, startLoadedHost, type LoadedHost } from './http-load.ts';
import { median, rounded, type BenchOptions, type BenchResult } from './result.ts';

const GET_BOUND = 0.8;
const PUT_BOUND = 1.5;
const ROUNDS = 11;
/** Puts are ten times as rare as gets in a round: their code is compiled later. */
const PUT_WARM_UPS = 4;
const READ = '/v1/kv/read';
const PUT_SCRIPT = path.join(import.meta.dirname, 'kv-put.lua');

/** Requests per CPU-second of both sides, measured one right after the other. */
interface Pair {
  readonly drover: number;
  readonly bare: number;
}

/**
 * KV by CPU: a GET against a bare fastify route with the same bytes; a durable PUT of 100 bytes, with its compare, its record of
 * history and all that follows a change, against a bare fastify PUT that commits the same row through the same store. Servers
 * on core 0 with all their threads, wrk on core 1, in turns.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const root = mkdtempSync(path.join(os.tmpdir(), 'drover-bench-kv-'));
  try {
    using drover = await startLoadedHost('kv-host.ts', 'drover', path.join(root, 'drover'));
    const body = Buffer.from(await (await fetch(drover.origin + READ)).arrayBuffer());
    using bare = await startLoadedHost('kv-host.ts', 'bare', path.join(root, 'bare'), body.toString('base64'));
    const measure = (what: 'get' | 'put', inTurn: boolean): Promise<Pair> => pairOf({ drover, bare }, what, inTurn);
    await measure('get', true);
    for (let round = 0; round < (quick ? 1 : PUT_WARM_UPS); round++) await measure('put', true);
    const rounds = [];
    for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
      const inTurn = round % 2 === 0;
      rounds.push({ get: await measure('get', inTurn), put: await measure('put', inTurn) });
    }
    return resultOf(rounds);
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

function resultOf(rounds: readonly { readonly get: Pair; readonly put: Pair }[]): BenchResult {
  const gets = rounds.map((one) => one.get);
  const puts = rounds.map((one) => one.put);
  const get = median(gets.map(({ drover, bare }) => drover / bare));
  const put = median(puts.map(({ drover, bare }) => bare / drover));
  const rows = [
    rowOf('GET: requests per CPU-second, ours to theirs', gets, get),
    rowOf('PUT: CPU a request, ours to theirs', puts, put),
  ];
  const bound = `GET ≥ ${GET_BOUND}, PUT ≤ ${PUT_BOUND}`;
  return { name: 'kv', bound, rows, ok: get >= GET_BOUND && put <= PUT_BOUND };
}

function rowOf(what: string, pairs: readonly Pair[], ratio: number): Record<string, string | number> {
  return {
    what,
    'drover per CPU-second': Math.round(median(pairs.map((one) => one.drover))),
    'bare fastify': Math.round(median(pairs.map((one) => one.bare))),
    'ratio (median of rounds)': rounded(ratio),
  };
}

async function pairOf(
  { drover, bare }: { readonly drover: LoadedHost; readonly bare: LoadedHost },
  what: 'get' | 'put',
  inTurn: boolean,
): Promise<Pair> {
  const one = (host: LoadedHost): Promise<number> =>
    what === 'get' ? requestsPerCpuSecond(host, READ) : requestsPerCpuSecond(host, '/v1/kv/bench/0', PUT_SCRIPT);
  const first = await one(inTurn ? drover : bare);
  const second = await one(inTurn ? bare : drover);
  return inTurn ? { drover: first, bare: second } : { drover: second, bare: first };
}
