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

/** Within this after healing (design 12), on a busy machine. */
const EQUAL_MS = 10_000;

/** After healing all servers hold the same: bodies with all their indexes, byte for byte (12). */
export async function checkSameState(servers: readonly DroverProcess[], findings: Findings): Promise<void> {
  const begunAtMs = performance.now();
  let differing: readonly string[] = PATHS;
  while (differing.length > 0 && performance.now() - begunAtMs < EQUAL_MS) {
    differing = await differingPaths(servers);
    if (differing.length > 0) await sleep(100);
  }
  findings.expect(12, differing.length === 0, () => `servers differ in ${differing.join(', ')}`);
}

async function differingPaths(servers: readonly DroverProcess[]): Promise<string[]> {
  const texts = await Promise.all(servers.map((server) => Promise.all(PATHS.map((path) => textAt(server, path)))));
  return PATHS.filter((_, at) => new Set(texts.map((one) => one[at])).size > 1);
}

async function textAt(server: DroverProcess, path: string): Promise<string> {
  const answer = await ask(server, `${path}${path.includes('?') ? '&' : '?'}stale`);
  return answer.kind === 'answer' ? `${answer.status} ${answer.text}` : `${server.name} ${answer.kind}`;
}
