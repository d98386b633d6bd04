import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { FreePorts } from '../test/cluster/free-ports.ts';
import { median, percentile, rounded } from './result.ts';
import type { BenchOptions, BenchResult } from './result.ts';

const DROVER = path.join(import.meta.dirname, '../bin/drover');
const BOUND_MS = 600;
const AGENTS = 100;
const QUICK_AGENTS = 4;
/** How a harness of Consul's waits: it asks, and asks again. */
const ASK_EVERY_MS = 5;

/**
 * As the suites of Consul's clients do it: agents started one after the other under the name `consul`, each until
 * `/v1/status/leader` answers, and killed. The first, which fills the compile cache, does not count.
 */
export async function run({ quick }: BenchOptions): Promise<BenchResult> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'agents-'));
  try {
    const consul = path.join(folder, 'consul');
    await symlink(DROVER, consul);
    await startOne(consul);
    const times: number[] = [];
    for (let agent = 0; agent < (quick ? QUICK_AGENTS : AGENTS); agent++) times.push(await startOne(consul));
    return {
      name: 'agents',
      bound: `median until /v1/status/leader answers ≤ ${BOUND_MS} ms`,
      rows: [
        {
          agents: times.length,
          'median ms': rounded(median(times), 0),
          'p95 ms': rounded(percentile(times, 0.95), 0),
          'best ms': rounded(Math.min(...times), 0),
        },
      ],
      ok: median(times) <= BOUND_MS,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function startOne(consul: string): Promise<number> {
  const port = await new FreePorts().next('127.0.0.1');
  const begun = performance.now();
  const child = spawn(consul, ['agent', '-dev', `-http-port=${port}`, '-dns-port=-1'], { stdio: 'ignore' });
  try {
    while (!(await answers(port))) {
      if (child.exitCode !== null) throw new Error(`consul agent ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, ASK_EVERY_MS));
    }
    return performance.now() - begun;
  } finally {
    await end(child);
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = http.get({ host: '127.0.0.1', port, path: '/v1/status/leader', agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('error', () => resolve(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}
