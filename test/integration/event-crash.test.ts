import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';

const BIN = path.resolve(import.meta.dirname, '../../bin/drover');

let folder: string;
let child: ChildProcess | null = null;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'drover-event-crash-'));
});
afterEach(async () => {
  await kill();
  await rm(folder, { recursive: true, force: true });
});

async function start(seconds: string): Promise<string> {
  const out = path.join(folder, 'out');
  const config = {
    node_name: 'n1',
    watches: [{ type: 'key', key: 'k', handler: `cat >> ${out}; sleep ${seconds}; echo done >> ${out}` }],
  };
  const file = path.join(folder, 'agent.json');
  await writeFile(file, JSON.stringify(config));
  await chmod(file, 0o644);
  const flags = [
    '--data-dir',
    path.join(folder, 'data'),
    '--config-file',
    file,
    '--http-port',
    '0',
    '--dns-port',
    '-1',
  ];
  const started = spawn(BIN, ['agent', '--server', '--timing', 'local', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  child = started;
  let said = '';
  started.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  for (const end = Date.now() + 30_000; Date.now() < end; await sleep(20)) {
    const [, http] = /"http":"([^"]*)"/.exec(said) ?? [];
    if (http !== undefined && said.includes('"msg":"ready"')) return http;
  }
  throw new Error(`not ready: ${said}`);
}

/** As the kernel does it when memory is short. */
async function kill(): Promise<void> {
  if (child === null) return;
  const exited = new Promise((resolve) => child?.once('exit', resolve));
  if (child.exitCode === null && child.kill('SIGKILL')) await exited;
  child = null;
}

async function lines(count: number): Promise<string[]> {
  const read = async (): Promise<string[]> =>
    (await readFile(path.join(folder, 'out'), 'utf8').catch(() => '')).split('\n').slice(0, -1);
  for (const end = Date.now() + 20_000; Date.now() < end && (await read()).length < count; await sleep(20));
  await sleep(300);
  return read();
}

test('an agent that is killed runs a handler once more only if it was killed while that ran', async () => {
  await start('0');
  expect(await lines(2)).toEqual(['null', 'done']);
  await kill();
  const http = await start('0');
  await sleep(1_000);
  expect(await lines(2)).toEqual(['null', 'done']);
  await fetch(`${http}/v1/kv/k`, { method: 'PUT', body: 'v' });
  expect(await lines(4)).toHaveLength(4);
  await kill();
  await start('3');
  // Another line for the shell is another handler: it begins anew, and is killed half-way.
  expect(await lines(5)).toHaveLength(5);
  await kill();
  await start('3');
  const all = await lines(8);
  expect(all.filter((line) => line.includes('"Value":"dg=="'))).toHaveLength(3);
  expect(all.filter((line) => line === 'done')).toHaveLength(4);
  await kill();
  await start('3');
  await sleep(1_000);
  expect(await lines(8)).toHaveLength(all.length);
}, 120_000);
