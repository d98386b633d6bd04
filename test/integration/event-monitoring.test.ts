import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Agent, loadConfig } from '../../src/agent/index.ts';

const EXAMPLE = path.resolve(import.meta.dirname, '../../examples/monitoring');

let folder: string;
let agent: Agent | null = null;
let lines: string[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-monitoring-'));
  await cp(EXAMPLE, path.join(folder, 'examples/monitoring'), { recursive: true });
  lines = [];
});
afterEach(async () => {
  await agent?.[Symbol.asyncDispose]();
  agent = null;
  await rm(folder, { recursive: true, force: true });
});

/** The example itself, with deadlines that a test can wait for. */
async function start(times: { within: string; watchFor: string }): Promise<void> {
  const file = path.join(folder, 'examples/monitoring/agent.json5');
  const config = await loadConfig({ configFile: [file], httpPort: 0, dnsPort: -1 });
  const [node] = config.nodes;
  const [reaction] = node?.reactions ?? [];
  if (node === undefined || reaction?.expect == null) throw new Error('the example has lost its reaction');
  const changed = {
    ...reaction,
    expect: { ...reaction.expect, withinMs: Number(times.within) },
    watchForMs: Number(times.watchFor),
  };
  const tell = (fields: object, text: string): void => void lines.push(`${text} ${JSON.stringify(fields)}`);
  const log = { debug: () => {}, info: tell, warn: tell, error: tell };
  agent = await Agent.start({ config: { ...config, nodes: [{ ...node, reactions: [changed] }] }, version: '0', log });
}

async function stop(): Promise<void> {
  await agent?.[Symbol.asyncDispose]();
  agent = null;
}

async function put(url: string, body?: object): Promise<void> {
  const response = await fetch(`${agent?.httpAddress}/v1/${url}`, { method: 'PUT', body: JSON.stringify(body ?? {}) });
  if (!response.ok) throw new Error(`${url}: ${response.status}`);
}

const up = (address: string): Promise<void> =>
  put('agent/service/register', {
    Name: 'monitoring',
    Address: address,
    Port: 4242,
    Check: { TTL: '1h', Status: 'passing' },
  });
const down = (): Promise<void> => put('agent/service/deregister/monitoring');
const conf = (): Promise<string> => readFile(path.join(folder, '.drover/monitoring.conf'), 'utf8').catch(() => '');
const news = async (): Promise<string[]> => {
  const text = await readFile(path.join(folder, '.drover/monitoring.news'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split(' ').slice(1).join(' '));
};

async function until(what: string, look: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 15_000; Date.now() < end; await sleep(20)) if (await look()) return;
  throw new Error(`not in time: ${what}; ${await conf()} ${(await news()).join('|')}\n${lines.join('\n')}`);
}

describe('the example of the monitoring box', () => {
  test('it is deconfigured and expected, reconfigured and watched, and declared well', async () => {
    await start({ within: '60000', watchFor: '700' });
    await up('10.0.0.7');
    await until('configured', async () => (await conf()).includes('sink = 10.0.0.7:4242'));
    await until('well', async () => (await news()).includes('well: the new monitoring box is well'));
    await down();
    await until('deconfigured', async () => (await conf()).includes('no sink'));
    expect(lines.filter((line) => line.startsWith('monitoring is down'))).toHaveLength(2);
    await up('10.0.0.8');
    await until('reconfigured', async () => (await conf()).includes('sink = 10.0.0.8:4242'));
    await until('well again', async () => (await news()).length === 2);
    expect(await news()).not.toContainEqual(expect.stringContaining('missing'));
  });

  test('no new box in time, and one that does not last, are told', async () => {
    await start({ within: '400', watchFor: '60000' });
    await until('told', async () => (await news()).includes('missing: no new monitoring box in time'));
    await up('10.0.0.9');
    await until('configured', async () => (await conf()).includes('sink = 10.0.0.9:4242'));
    await down();
    await until('told', async () => (await news()).includes('relapse: the new monitoring box did not last'));
    expect(await conf()).toContain('no sink');
  });

  test('a deadline that passes while the agent is down is acted upon once after it; nothing else is done again', async () => {
    const times = { within: '600', watchFor: '60000' };
    await start(times);
    await until('deconfigured', async () => (await conf()).includes('no sink'));
    await stop();
    await sleep(700);
    const done = lines.filter((line) => line.startsWith('a handler has run')).length;
    expect([done, await news()]).toEqual([1, []]);
    await start(times);
    await until('told', async () => (await news()).length === 1);
    await stop();
    await start(times);
    await sleep(800);
    expect(await news()).toEqual(['missing: no new monitoring box in time']);
    expect(lines.filter((line) => line.startsWith('a handler has run'))).toHaveLength(2);
  });
});
