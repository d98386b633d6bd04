import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DroverProcess } from '../cluster/drover-process.ts';
import { LoopbackGround } from '../cluster/loopback-ground.ts';
import { until } from '../cluster/until.ts';
import { perTestStack } from '../per-test-stack.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');

const stack = perTestStack();

interface Fleet {
  readonly server: DroverProcess;
  readonly file: string;
  /** What the provisions wrote: `+ node` at the start, `- node` at the end. */
  log(): Promise<string[]>;
}

/** So many nodes of a group in one agent; each provision writes a line, takes a while, and writes another. */
async function start(count: number, provision: object, command: (log: string) => string): Promise<Fleet> {
  const ground = stack.use(new LoopbackGround());
  const folder = await mkdtemp(path.join(tmpdir(), 'drover-places-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const log = path.join(folder, 'log');
  const nodes = Array.from({ length: count }, (_, at) => ({
    name: `n${String(at).padStart(2, '0')}`,
    address: '127.0.0.1',
    provision: { command: command(log), ...provision },
  }));
  const configuration = (): object => ({ server: true, store: `sqlite:${folder}/store`, nodes });
  const server = stack.use(await DroverProcess.prepare({ name: 'server', ground, folder, configuration }));
  await server.start();
  return {
    server,
    file: log,
    log: async () => (await readFile(log, 'utf8').catch(() => '')).split('\n').filter((line) => line !== ''),
  };
}

/** The most that ran at the same time. */
function mostAtOnce(lines: readonly string[]): number {
  let running = 0;
  return lines.reduce((most, line) => Math.max(most, (running += line.startsWith('+') ? 1 : -1)), 0);
}

interface Ran {
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function drover(server: DroverProcess, words: readonly string[]): Promise<Ran> {
  const child = spawn(DROVER, words, { env: { ...process.env, DROVER_HTTP_ADDR: server.url } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => child.once('close', (exit) => resolve({ exit, stdout, stderr })));
}

const QUICK = (log: string): string => `echo "+ $DROVER_NODE" >> ${log}; sleep 0.3; echo "- $DROVER_NODE" >> ${log}`;

test(
  'a group of 50 never has more than 5 that provision at once, also when its holders are killed',
  { timeout: 180_000 },
  async () => {
    const fleet = await start(50, { group: 'web', at_most: 5 }, QUICK);
    const { server } = fleet;
    const names = Array.from({ length: 50 }, (_, at) => `n${String(at).padStart(2, '0')}`);
    await Promise.all(names.map((name) => fetch(`${server.url}/v2/provisions?node=${name}`, { method: 'POST' })));
    await until(async () => (await fleet.log()).length > 12, 60_000);
    // With five under way, each in a session of its own: they go on, and the next agent finds them.
    await server.kill();
    await server.start();
    const done = async (): Promise<number> => new Set((await fleet.log()).filter((line) => line.startsWith('-'))).size;
    await until(
      async () => (await done()) === 50,
      120_000,
      () => server.said.slice(-2_000),
    );
    expect(mostAtOnce(await fleet.log())).toBeLessThanOrEqual(5);
  },
);

test(
  'instance:deploy provisions one first, then so many at once, and says how it ended',
  { timeout: 120_000 },
  async () => {
    const fleet = await start(12, {}, QUICK);
    const ran = await drover(fleet.server, ['instance:deploy', '-n', '3']);
    expect([ran.exit, ran.stdout.split('\n')[0]]).toEqual([0, '12 of 12 nodes are done']);
    const lines = await fleet.log();
    expect(lines.slice(0, 2)).toEqual(['+ n00', '- n00']);
    expect(mostAtOnce(lines)).toBeLessThanOrEqual(3);
  },
);

test('instance:deploy stops when more fail than may, and goes on where it stopped', { timeout: 120_000 }, async () => {
  const flaky = (log: string): string =>
    `echo "+ $DROVER_NODE" >> ${log}; case "$DROVER_NODE" in n0[12]) test -e ${log}.mended || exit 3;; esac; echo "- $DROVER_NODE" >> ${log}`;
  const fleet = await start(6, { group: 'web' }, flaky);
  const stopped = await drover(fleet.server, ['instance:deploy', 'web', '-n', '1', '--max-failures', '1']);
  expect(stopped.exit).toBe(1);
  expect(stopped.stderr).toContain('3 nodes were left alone; n01, n02 failed');
  const id = /--resume (\S+)/.exec(stopped.stderr)?.[1] as string;
  await writeFile(`${fleet.file}.mended`, '');
  const resumed = await drover(fleet.server, ['instance:deploy', '--resume', id]);
  expect([resumed.exit, resumed.stdout.split('\n')[0]]).toEqual([0, '6 of 6 nodes are done']);
  expect((await fleet.log()).filter((line) => line === '+ n00')).toHaveLength(1);
});

test('instance:deploy says that a group has no nodes', { timeout: 60_000 }, async () => {
  const fleet = await start(1, { group: 'web' }, QUICK);
  const ran = await drover(fleet.server, ['instance:deploy', 'other']);
  expect([ran.exit, ran.stderr.split('\n')[0]]).toEqual([
    4,
    'error CLI_NOTHING_TO_DEPLOY: other has no node with a provision command',
  ]);
});
