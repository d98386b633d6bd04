import { availableParallelism, loadavg } from 'node:os';
import type { DroverProcess } from '../drover-process.ts';
import type { Findings } from './invariants.ts';
import { ask } from './region-client.ts';
import { sleep } from './sleep.ts';

/** What a server holds in memory, as it can be asked for without the store. */
const PATHS = [
  '/v1/catalog/nodes',
  '/v1/catalog/services',
  '/v1/health/state/any',
  '/v1/health/service/web',
  '/v1/session/list',
  '/v1/kv/?recurse',
  '/v2/datastores',
];

/** Within this after healing (design 12), which is when etcd and all servers answer; one that has more to do than it can has twice as long. */
const EQUAL_MS = 5_000;
/** Of load for each core. */
const BUSY = 1.5;

/**
 * After healing all servers hold the same: bodies with all their indexes, byte for byte (12). Gives after how many ms they did, or
 * were given up.
 */
export async function checkSameState(servers: readonly DroverProcess[], findings: Findings): Promise<number> {
  const begunAtMs = performance.now();
  const isBusy = (loadavg()[0] ?? 0) > BUSY * availableParallelism();
  const withinMs = isBusy ? 2 * EQUAL_MS : EQUAL_MS;
  const tookMs = (): number => Math.round(performance.now() - begunAtMs);
  let differing: readonly string[] = PATHS;
  while (differing.length > 0 && tookMs() < withinMs) {
    differing = await differingPaths(servers);
    if (differing.length > 0) await sleep(100);
  }
  findings.expect(12, differing.length === 0, () => `servers differ in ${differing.join(', ')} after ${withinMs} ms`);
  return tookMs();
}

async function differingPaths(servers: readonly DroverProcess[]): Promise<string[]> {
  const texts = await Promise.all(servers.map((server) => Promise.all(PATHS.map((path) => textAt(server, path)))));
  return PATHS.filter((_, at) => new Set(texts.map((one) => one[at])).size > 1);
}

async function textAt(server: DroverProcess, path: string): Promise<string> {
  const answer = await ask(server, `${path}${path.includes('?') ? '&' : '?'}stale`);
  return answer.kind === 'answer' ? `${answer.status} ${answer.text}` : `${server.name} ${answer.kind}`;
}
