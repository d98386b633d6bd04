// `npm run example -- cluster [--netns] [--agents N]`: a whole cluster on this machine to play with, until Ctrl-C or `quit`.
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { DroverCluster } from '../../test/cluster/drover-cluster.ts';
import type { Ground } from '../../test/cluster/ground.ts';
import { LoopbackGround } from '../../test/cluster/loopback-ground.ts';
import { NetnsGround } from '../../test/cluster/netns-ground.ts';
import { findComponent } from '../../test/require-component.ts';
import { run, WORDS } from './commands.ts';
import { greeting } from './greeting.ts';
import { StandIns } from './stand-ins.ts';

const MOST_AGENTS = 50;

/** Starts it, does what is said on standard input, and takes everything away. @throws when something is missing */
export async function playCluster(words: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...words],
    options: { netns: { type: 'boolean', default: false }, agents: { type: 'string', default: '3' } },
  });
  const agents = Number(values.agents);
  if (!(agents >= 0 && agents <= MOST_AGENTS)) throw new Error(`--agents takes a number up to ${MOST_AGENTS}`);
  if (findComponent('etcd') === null) throw new Error('etcd is not installed: apt-get install etcd-server etcd-client');
  const stop = stopSignal();
  console.log('starting etcd, servers and agents');
  const ground = await groundOf(values.netns);
  await using cluster = await DroverCluster.start({ ground, agents });
  await using programs = await StandIns.start(cluster);
  for (const line of greeting(cluster, { isNetns: values.netns, programs: programs.count })) console.log(line);
  await follow(cluster, stop);
  console.log('stopping');
}

async function groundOf(isNetns: boolean): Promise<Ground> {
  if (!isNetns) return new LoopbackGround({ lines: true });
  if (process.getuid?.() !== 0)
    throw new Error('--netns makes network namespaces and needs root; without it nothing does');
  return NetnsGround.start({ id: `drv${process.pid.toString(36)}`.slice(0, 8), net: `203.${process.pid % 250}` });
}

function stopSignal(): AbortSignal {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => abort.abort());
  return abort.signal;
}

/** Does each line that is said, until `quit` or the signal; the end of standard input is no end. */
async function follow(cluster: DroverCluster, stop: AbortSignal): Promise<void> {
  const lines = createInterface({ input: process.stdin });
  const ended = Promise.withResolvers<void>();
  stop.addEventListener('abort', () => ended.resolve());
  let doing = Promise.resolve();
  lines.on('line', (line) => {
    const said = line.trim().split(/\s+/);
    if (said[0] === 'quit') ended.resolve();
    else doing = doing.then(() => say(cluster, said));
  });
  if (stop.aborted) ended.resolve();
  await ended.promise;
  lines.close();
  process.stdin.destroy();
  await doing;
}

async function say(cluster: DroverCluster, said: readonly string[]): Promise<void> {
  if (said[0] === '') return;
  try {
    for (const line of await run(cluster, said)) console.log(line);
  } catch (error) {
    console.log(`error: ${(error as Error).message}; there are ${WORDS}`);
  }
}
