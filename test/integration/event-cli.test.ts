import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventAgent } from './event-agent.ts';

const BIN = path.resolve(import.meta.dirname, '../../bin/drover');

let agent: EventAgent;
const started = new Set<ChildProcess>();
beforeEach(async () => {
  agent = await EventAgent.make();
  await agent.start({ node_name: 'n1' });
});
afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  started.clear();
  await agent[Symbol.asyncDispose]();
});

/** A command line against the agent; what it says, and how it ends. */
class Cli {
  readonly child: ChildProcess;
  stdout = '';
  stderr = '';
  readonly ended: Promise<unknown[]>;

  constructor(...words: string[]) {
    const env = { ...process.env, DROVER_HTTP_ADDR: agent.address };
    this.child = spawn(BIN, words, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    started.add(this.child);
    this.child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.ended = once(this.child, 'close');
  }

  async says(count: number): Promise<string[]> {
    const lines = (): string[] => this.stdout.split('\n').slice(0, -1);
    for (const end = Date.now() + 20_000; Date.now() < end && lines().length < count; await sleep(20));
    expect(lines(), this.stderr).toHaveLength(count);
    return lines();
  }
}

const VALUE = `printf '%s ' "$CONSUL_INDEX"; cat`;

describe('drover watch', () => {
  test.each([
    ['drover', ['watch', '--type', 'key', '--key', 'k', VALUE]],
    ['drover with a program', ['watch', '-type=key', '-key=k', '/bin/sh', '-c', VALUE]],
    ['consul', ['consul', 'watch', '-type', 'key', '-key', 'k', VALUE]],
  ])('%s runs the command now and at each change, and ends at a signal', async (_what, words) => {
    await agent.put('kv/k', 'one');
    const cli = new Cli(...words);
    const [first = ''] = await cli.says(1);
    expect(first).toMatch(/^\d+ \{.*"Value":"b25l"/);
    await agent.put('kv/other', 'x');
    await agent.put('kv/k', 'two');
    const [, second = ''] = await cli.says(2);
    expect(second).toContain('"Value":"dHdv"');
    cli.child.kill('SIGTERM');
    expect(await cli.ended).toEqual([0, null]);
  });

  test('a command that fails is said and the watch goes on; what it started ends with it', async () => {
    const cli = new Cli('watch', '--type', 'event', '--name', 'e', 'cat; exit 3');
    for (let n = 0; n < 200 && !cli.stdout.includes('"x"'); n++) {
      await agent.put('event/fire/e', 'x');
      await sleep(100);
      if (cli.stdout.includes('"Payload":"eA=="')) break;
    }
    expect(cli.stdout).toContain('"Payload":"eA=="');
    for (let n = 0; n < 100 && !cli.stderr.includes('exit 3'); n++) await sleep(20);
    expect(cli.stderr).toContain('the command failed: exit 3');
    cli.child.kill('SIGINT');
    expect(await cli.ended).toEqual([0, null]);
  });

  test('without a command it prints what is, and says when nobody answers', async () => {
    const cli = new Cli('watch', '--type', 'nodes');
    expect(await cli.ended).toEqual([0, null]);
    expect(JSON.parse(cli.stdout)).toMatchObject([{ Node: 'n1' }]);
    const alone = new Cli('watch', '--type', 'nodes', '--http-addr', '127.0.0.1:1', 'cat');
    expect(await alone.ended).toEqual([1, null]);
  });
});

test('event:fire and event:list speak of the same events', async () => {
  const fired = new Cli('event:fire', 'deploy', 'v42', '--node', '^n');
  expect(await fired.ended).toEqual([0, null]);
  const listed = new Cli('event:list', '--name', 'deploy');
  expect(await listed.ended).toEqual([0, null]);
  expect(listed.stdout).toMatch(/^r\d+ {2}deploy {2}[0-9a-f-]{36} {2}v42\n$/);
});
