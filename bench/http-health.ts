import { execFile, fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import path from 'node:path';
import { promisify } from 'node:util';
import { median, rounded, type BenchOptions, type BenchResult } from './result.ts';

const BOUND = 0.8;
const ROUNDS = 15;
const SECONDS = 1;
const CONNECTIONS = 16;
const URL_PATH = '/v1/health/service/web?passing';
/** Linux counts the time of processes in hundredths of a second. */
const TICKS_PER_SECOND = 100;

const exec = promisify(execFile);

/**
 * `GET /v1/health/service/web?passing` with three instances: requests per second of the server's CPU time, against a bare
 * fastify route that answers the same bytes. Servers on core 0, load (wrk) on core 1, in turns; needs `wrk` and `taskset`.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const drover = await startHost('drover');
  const body = Buffer.from(await (await fetch(drover.url)).arrayBuffer());
  const bare = await startHost('bare', body.toString('base64'));
  try {
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
  } finally {
    drover.child.kill();
    bare.child.kill();
  }
}

interface Host {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startHost(kind: 'drover' | 'bare', ...more: string[]): Promise<Host> {
  const file = path.join(import.meta.dirname, 'http-host.ts');
  const child = fork(file, [kind, ...more], { execArgv: ['--disable-warning=ExperimentalWarning'] });
  const [{ port }] = (await once(child, 'message')) as [{ port: number }];
  await exec('taskset', ['-a', '-cp', '0', String(child.pid)]);
  return { child, url: `http://127.0.0.1:${port}${URL_PATH}` };
}

/** Requests per second of CPU time. */
async function measure({ child, url }: Host): Promise<number> {
  const before = cpuSeconds(child.pid as number);
  const { stdout } = await exec('taskset', ['-c', '1', 'wrk', '-t1', `-c${CONNECTIONS}`, `-d${SECONDS}s`, url]);
  const used = cpuSeconds(child.pid as number) - before;
  const [, requests = '0'] = /(\d+) requests in/.exec(stdout) ?? [];
  if (/Non-2xx|Socket errors/.test(stdout)) throw new Error(`wrk met errors:\n${stdout}`);
  return Number(requests) / used;
}

/** User and system time of a process (proc(5): fields 14 and 15 of its stat). */
function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function rangeOf(numbers: readonly number[]): string {
  return `${Math.min(...numbers).toFixed(2)} to ${Math.max(...numbers).toFixed(2)}`;
}
