import { writeFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import type { DroverProcess } from '../cluster/drover-process.ts';
import { LoopbackGround } from '../cluster/loopback-ground.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { ask, put } from './cluster-rig.ts';
import { runProgram, type ProgramEnd } from './run-program.ts';
import { perTestStack } from '../per-test-stack.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');

const stack = perTestStack();

/** So few in each that those of one are not many that vanish at once: the region says that they are down. */
const PROCESSES = 7;
const EACH = 7;
const NODES = 50;
const processOf = (at: number): number => Math.min(PROCESSES - 1, Math.floor(at / EACH));

interface Group {
  readonly cluster: DroverCluster;
  readonly server: DroverProcess;
  readonly agents: readonly DroverProcess[];
  readonly names: readonly string[];
  /** What the provisions wrote: `+ node` at the start, `- node` at the end. */
  readonly log: () => Promise<string[]>;
  /** How long each provision that begins from now on takes, or those of one node. */
  readonly setting: (seconds: number, node?: string) => Promise<void>;
  readonly drover: (...words: readonly string[]) => Promise<ProgramEnd>;
}

/** Fifty nodes of one group in five processes, and two servers; their first provisions are under way. */
async function start(atMost: number | string, seconds: number): Promise<Group> {
  const names = Array.from({ length: NODES }, (_, at) => `n${String(at).padStart(2, '0')}`);
  let folder = '';
  const cluster = stack.use(
    await DroverCluster.start({
      members: 1,
      servers: 2,
      agents: PROCESSES,
      ground: new LoopbackGround(),
      serverConfiguration: { timing: 'lan' },
      agentConfiguration: (index, at) => {
        folder = path.dirname(at.folder);
        writeFileSync(`${folder}/seconds`, String(seconds));
        const line = (mark: string): string => `echo '${mark}' $DROVER_NODE >> ${folder}/log`;
        const command = `${line('+')}; sleep $(cat ${folder}/seconds-$DROVER_NODE || cat ${folder}/seconds || echo 0); ${line('-')}`;
        const provision = { command, group: 'web', at_most: atMost };
        const nodes = names.filter((_, at) => processOf(at) === index);
        return {
          timing: 'lan',
          nodes: nodes.map((name) => ({ name, address: at.address, provision, runs: ['web'] })),
        };
      },
    }),
  );
  const server = cluster.servers[0] as DroverProcess;
  const log = async (): Promise<string[]> =>
    (await readFile(`${folder}/log`, 'utf8').catch(() => '')).split('\n').filter((line) => line !== '');
  await put(server, '/v2/datastores/DB', { value: 'one' });
  await put(server, '/v2/definitions', [{ id: 'web', requires: { DB: '{DB}' } }]);
  return {
    cluster,
    server,
    agents: cluster.agents,
    names,
    log,
    setting: (seconds, node) => writeFile(`${folder}/seconds${node === undefined ? '' : `-${node}`}`, String(seconds)),
    drover: (...words) => runProgram(DROVER, words, { env: { DROVER_HTTP_ADDR: server.url } }),
  };
}

interface WireListener {
  readonly running: boolean;
  readonly queued: boolean;
}

/** Whether no node has anything to do any more. */
async function idle(agents: readonly DroverProcess[], names: readonly string[]): Promise<boolean> {
  for (const [at, name] of names.entries()) {
    const agent = agents[processOf(at)] as DroverProcess;
    const { running, queued } = await ask<WireListener>(agent, `/v2/listener?node=${name}`);
    if (running || queued) return false;
  }
  return true;
}

/** Resolves when each of the group has provisioned and none is to do so again. */
async function settled({ agents, names, log }: Group): Promise<void> {
  const ended = async (): Promise<number> => new Set(marked(await log(), '-')).size;
  await until(async () => (await ended()) === NODES && (await idle(agents, names)), 120_000);
}

/** The most that ran at the same time. */
function mostAtOnce(lines: readonly string[]): number {
  let running = 0;
  return lines.reduce((most, line) => Math.max(most, (running += line.startsWith('+') ? 1 : -1)), 0);
}

const marked = (lines: readonly string[], mark: '+' | '-'): string[] =>
  lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));

requireComponent('etcd')('a group of fifty', () => {
  test(
    'is deployed one first, then five at once and never more, also when the agents of those that provision are killed',
    { timeout: 240_000 },
    async () => {
      const group = await start('50%', 0);
      const [agent] = group.agents as [DroverProcess];
      await settled(group);
      const before = (await group.log()).length;
      await group.setting(1, 'n00');
      await group.setting(20);
      const deployed = group.drover('instance:deploy', 'web', '-n', '5');
      await until(async () => (await group.log()).length >= before + 7, 40_000);
      await agent.kill();
      // Those that run do so without their agent; it is down, and nobody takes their places.
      await sleep(16_000);
      await group.setting(0.2);
      await agent.start();
      const end = await deployed;
      const lines = (await group.log()).slice(before);
      expect(lines.slice(0, 2)).toEqual(['+ n00', '- n00']);
      expect(mostAtOnce(lines)).toBe(5);
      expect([end.code, end.stdout.split('\n')[0]]).toEqual([0, '50 of 50 nodes are done']);
      expect(marked(lines, '-').toSorted()).toEqual(group.names);
    },
  );

  test(
    'of which five may provision at once never has more that do, also when the agents of those that do are killed',
    { timeout: 240_000 },
    async () => {
      const group = await start(5, 18);
      await until(async () => marked(await group.log(), '+').length >= 5, 40_000);
      const [first] = marked(await group.log(), '+');
      const holder = group.agents[processOf(group.names.indexOf(first ?? ''))] as DroverProcess;
      await holder.kill();
      await group.setting(0.2);
      // It is down before its provisions end: nobody takes their places.
      await sleep(14_000);
      await holder.start();
      await settled(group);
      expect(mostAtOnce(await group.log())).toBe(5);
    },
  );
});
