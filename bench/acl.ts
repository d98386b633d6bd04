import path from 'node:path';
import { requestsPerCpuSecond, startLoadedHost, type LoadedHost } from './http-load.ts';
import { median, rounded, type BenchOptions, type BenchResult } from './result.ts';

const BOUND = 0.9;
const ROUNDS = 9;
const PATHS = ['/v1/health/service/web?passing', '/v1/kv/app/limit'];
const SCRIPT = path.join(import.meta.dirname, 'acl-token.lua');

/**
 * What access control costs: the same reads with the same token, of a server that is closed and of one without access control,
 * in requests per second of CPU time. Servers on core 0, load (wrk) on core 1, in turns; needs `wrk` and `taskset`.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  using on = await startLoadedHost('acl-host.ts', 'on');
  using off = await startLoadedHost('acl-host.ts', 'off');
  const rows = [];
  for (const url of PATHS) rows.push(await compare(url, on, off, quick ? 1 : ROUNDS));
  const ok = rows.every((row) => row['ratio (median of rounds)'] >= BOUND);
  return { name: 'acl', bound: `ratio ≥ ${BOUND} for every read`, rows, ok };
}

async function compare(url: string, on: LoadedHost, off: LoadedHost, count: number) {
  const measure = (host: LoadedHost): Promise<number> => requestsPerCpuSecond(host, url, SCRIPT);
  await Promise.all([measure(on), measure(off)]);
  const rounds: { on: number; off: number }[] = [];
  for (let round = 0; round < count; round++) {
    const inTurn = round % 2 === 0;
    const first = await measure(inTurn ? on : off);
    const second = await measure(inTurn ? off : on);
    rounds.push(inTurn ? { on: first, off: second } : { on: second, off: first });
  }
  return {
    read: url,
    'closed, requests per CPU-second': Math.round(median(rounds.map((one) => one.on))),
    'without access control': Math.round(median(rounds.map((one) => one.off))),
    'ratio (median of rounds)': rounded(median(rounds.map((one) => one.on / one.off))),
  };
}
