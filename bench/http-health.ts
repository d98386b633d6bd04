import { requestsPerCpuSecond, startLoadedHost, type LoadedHost } from './http-load.ts';
import { median, rounded, type BenchOptions, type BenchResult } from './result.ts';

const BOUND = 0.8;
const ROUNDS = 15;
const URL_PATH = '/v1/health/service/web?passing';

/**
 * `GET /v1/health/service/web?passing` with three instances: requests per second of the server's CPU time, against a bare
 * fastify route that answers the same bytes. Servers on core 0, load (wrk) on core 1, in turns; needs `wrk` and `taskset`.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  using drover = await startLoadedHost('http-host.ts', 'drover');
  const body = Buffer.from(await (await fetch(drover.origin + URL_PATH)).arrayBuffer());
  using bare = await startLoadedHost('http-host.ts', 'bare', body.toString('base64'));
  const measure = (host: LoadedHost): Promise<number> => requestsPerCpuSecond(host, URL_PATH);
  await Promise.all([measure(drover), measure(bare)]);
  const rounds: { drover: number; bare: number }[] = [];
  for (let round = 0; round < (quick ? 1 : ROUNDS); round++) {
    const inTurn = round % 2 === 0;
    const first = await measure(inTurn ? drover : bare);
    const second = await measure(inTurn ? bare : drover);
    rounds.push(inTurn ? { drover: first, bare: second } : { drover: second, bare: first });
  }
  const ratio = median(rounds.map((one) => one.drover / one.bare));
  const rows = [
    {
      'body B': body.length,
      'drover requests per CPU-second': Math.round(median(rounds.map((one) => one.drover))),
      'bare fastify': Math.round(median(rounds.map((one) => one.bare))),
      'ratio (median of rounds)': rounded(ratio),
      'lowest and highest': rangeOf(rounds.map((one) => one.drover / one.bare)),
    },
  ];
  return { name: 'http-health', bound: `ratio ≥ ${BOUND}`, rows, ok: ratio >= BOUND };
}

function rangeOf(numbers: readonly number[]): string {
  return `${Math.min(...numbers).toFixed(2)} to ${Math.max(...numbers).toFixed(2)}`;
}
