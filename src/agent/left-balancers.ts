import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { stopLeftHaproxy } from '../balancer/index.ts';
import type { Clock } from '../lib/index.ts';
import type { AgentConfig } from './config/config.ts';
import type { Log } from './log.ts';

/** Ends the balancers that an earlier agent left running for nodes that are gone from the configuration or have none any more. */
export async function endLeftBalancers(
  { dataDirectory, nodes }: Pick<AgentConfig, 'dataDirectory' | 'nodes'>,
  clock: Clock,
  log: Log,
): Promise<void> {
  const directory = path.join(dataDirectory, 'nodes');
  const kept = new Set(nodes.filter((node) => node.balancer !== null).map((node) => encodeURIComponent(node.name)));
  const left = (await readdir(directory).catch(() => [])).filter((name) => !kept.has(name));
  for (const name of left) {
    const wasThere = await stopLeftHaproxy(path.join(directory, name), clock);
    if (wasThere) log.info({ node: name }, 'ended the HAProxy of a node that has no balancer any more');
  }
}
