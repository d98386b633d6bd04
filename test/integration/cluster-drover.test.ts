import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DroverCluster } from '../cluster/drover-cluster.ts';
import { ask, keysOf, textOf, valueOf } from '../cluster/faults/region-client.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';

const WITHIN_MS = 120_000;
const SETTLES_MS = 20_000;
const MARK = 'DROVER_TEST_MARK';
const ROOT = path.resolve(import.meta.dirname, '../..');

requireComponent('etcd')('DroverCluster', () => {
  let cluster: DroverCluster;
  beforeAll(async () => {
    cluster = await DroverCluster.start({ members: 1, servers: 2, agents: 1, timing: 'lan' });
  }, WITHIN_MS);
  afterAll(() => cluster[Symbol.asyncDispose]());

  test('start() gives servers and agents of one region', async () => {
    const [first, second] = cluster.servers;
    await ask(first!, '/v1/kv/a', { method: 'PUT', body: 'one' });
    const [entry] = keysOf(await ask(second!, '/v1/kv/a?consistent')) ?? [];
    expect(entry && valueOf(entry)).toBe('one');
    await until(async () => (textOf(await ask(second!, '/v1/catalog/nodes')) ?? '').includes('agent-0'), SETTLES_MS);
  });

  test(
    'cutFromStore() takes writes from one server only, and what it reads stays',
    async () => {
      const [first, second] = cluster.servers;
      await cluster.cutFromStore('server-0');
      await ask(second!, '/v1/kv/a', { method: 'PUT', body: 'two' });
      const [entry] = keysOf(await ask(first!, '/v1/kv/a?stale')) ?? [];
      expect(entry && valueOf(entry)).toBe('one');
      await cluster.healAll();
      await until(
        async () => keysOf(await ask(first!, '/v1/kv/a?consistent'))?.some((one) => valueOf(one) === 'two') === true,
        SETTLES_MS,
      );
    },
    WITHIN_MS,
  );

  test(
    'cut() takes an agent from every server, also from those that it was told of, and healing gives it back',
    async () => {
      const [agent] = cluster.agents;
      const isCutOff = async (): Promise<boolean> => {
        const { link } = JSON.parse(textOf(await ask(agent!, '/v2/status')) ?? '{}') as {
          link?: { cutOffSince: string | null };
        };
        return (link?.cutOffSince ?? null) !== null;
      };
      await until(async () => !(await isCutOff()), SETTLES_MS);
      await cluster.cut('agent-0');
      await until(isCutOff, SETTLES_MS);
      await cluster.healAll();
      await until(async () => !(await isCutOff()), SETTLES_MS);
    },
    WITHIN_MS,
  );
});

requireComponent('etcd')('npm run example -- cluster', () => {
  test('starts a cluster, does what is said and takes everything away', () => play([]), WITHIN_MS);

  const isRoot = process.getuid?.() === 0;
  if (!isRoot) console.warn('skipped: network namespaces are for root');
  const ofRoot = isRoot ? requireComponent('ip') : describe.skip;
  ofRoot('--netns', () => {
    test('does the same in network namespaces', () => play(['--netns']), WITHIN_MS);
  });
});

/** Runs the example once, says some commands and looks at what is left. */
async function play(words: readonly string[]): Promise<void> {
  const script = path.join(ROOT, 'scripts/example.ts');
  const mark = randomUUID();
  const env = { ...process.env, [MARK]: mark };
  const child = spawn(process.execPath, [script, 'cluster', '--agents', '1', ...words], { cwd: ROOT, env });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  const hears = (text: string): Promise<void> =>
    until(
      () => said.includes(text) || child.exitCode !== null,
      WITHIN_MS / 2,
      () => `"${text}" is not in: ${said}`,
    );
  try {
    await hears('Ctrl-C ends');
    child.stdin.write('cut server-1 etcd-0\nheal\nstatus\n');
    await hears('takes writes');
    expect(said).toContain('cut server-1 etcd-0: done\neverything runs, every line is whole');
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    expect(marked(mark)).toEqual([]);
    expect([code, said.includes('stopping')]).toEqual([0, true]);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Processes that were started by one with this mark in its environment, however far down. */
function marked(mark: string): string[] {
  return readdirSync('/proc').filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(`${MARK}=${mark}`);
    } catch {
      return false;
    }
  });
}
