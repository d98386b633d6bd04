import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findPortHolder } from '../../src/lib/index.ts';
import { requireComponent } from '../require-component.ts';
import { until } from '../until.ts';
import { RepositoryCopy } from './repository-copy.ts';

const READY_MS = 60_000;
const STANDARD_PORTS = [8500, 8600, 1100, 8080, 9200] as const;

function dig(...args: string[]): string {
  return execFileSync('dig', ['+noedns', '+tries=1', '+time=2', '@127.0.0.1', '-p', '8600', ...args], {
    encoding: 'utf8',
  });
}

/** The example takes the documents' own ports, so only one can run on a machine. */
async function portsAreFree(): Promise<boolean> {
  const holders = await Promise.all(STANDARD_PORTS.map((port) => findPortHolder('127.0.0.1', port)));
  return holders.every((holder) => holder === null);
}

const needs = ['haproxy', 'dig', 'curl'].map((name) => requireComponent(name));
const suite = needs.find((one) => one === describe.skip) ?? describe;

suite('npm start', () => {
  let copy: RepositoryCopy;
  let running: ReturnType<RepositoryCopy['start']>;

  const begin = async (...args: string[]): Promise<void> => {
    running = copy.start('npm', 'start', ...args);
    const { child } = running;
    const output = (): string => running.output();
    await until(
      'the greeting of npm start',
      () => output().includes('\nchanges\n') || child.exitCode !== null,
      READY_MS,
    );
    expect(output()).toContain('\nchanges\n');
  };

  beforeAll(async () => {
    if (!(await portsAreFree()))
      throw new Error(`ports ${STANDARD_PORTS.join(', ')} must be free: stop what holds them`);
    copy = new RepositoryCopy();
    await begin('--', '--fresh');
  }, READY_MS * 2);

  afterAll(() => copy?.dispose());

  test('greets with what runs where and three things to try', () => {
    const text = running.output();
    expect(text).toMatch(/^drover \d+\.\d+\.\d+ · region aws · 3 nodes · http:\/\/127\.0\.0\.1:8500$/m);
    expect(text).toMatch(/^ {2}api +2 +passing +app-www +127\.0\.0\.1:1100$/m);
    expect(text).toMatch(/^ {2}app-www +1 +passing +\(public\) +127\.0\.0\.1:8080$/m);
    expect(text).toMatch(/^ {2}elasticsearch +1 +passing +api +elasticsearch\.service\.consul$/m);
    expect(text).toContain('dig +noedns @127.0.0.1 -p 8600 elasticsearch.service.consul SRV');
    expect(text).toContain('curl 127.0.0.1:1100');
  });

  test("answers the document's SRV line to the letter, and its node's address in ADDITIONAL", () => {
    const answer = dig('elasticsearch.service.consul', 'SRV').replaceAll(/[\t ]+/g, ' ');
    expect(answer).toContain('flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 1');
    expect(answer).toContain('elasticsearch.service.consul. 0 IN SRV 1 1 9200 staging.node.aws.consul.');
    expect(answer).toContain('staging.node.aws.consul. 0 IN A 127.0.0.1');
  });

  test('curl through the balancer reaches api on both nodes, and www reaches api', async () => {
    const answers = execFileSync('sh', ['-c', 'for i in 1 2 3 4 5 6; do curl -sS 127.0.0.1:1100; done'], {
      encoding: 'utf8',
    });
    expect(answers).toContain('"node":"api-1"');
    expect(answers).toContain('"node":"api-2"');
    const www = (await (await fetch('http://127.0.0.1:8080')).json()) as { api: { service: string } };
    expect(www.api.service).toBe('api');
  });

  test('npm run example stops and starts a program; its name goes and comes back', async () => {
    expect(await copy.run('npm', 'run', '-s', 'example', '--', 'stop', 'elasticsearch')).toMatchObject({ status: 0 });
    expect(dig('elasticsearch.service.consul', 'SRV')).toContain('status: NXDOMAIN');
    expect(await copy.run('npm', 'run', '-s', 'example', '--', 'start', 'elasticsearch')).toMatchObject({ status: 0 });
    await until(
      'the name is back',
      () => dig('elasticsearch.service.consul', 'SRV').includes('status: NOERROR'),
      10_000,
    );
  });

  test('a change shows below the greeting with where it arrived', async () => {
    const set = await copy.run('bin/drover', 'datastore:set', 'PRIMARY_DATABASE_URL', 'mysql://user:new@db2/app');
    expect(set.status).toBe(0);
    await until('the change arrived', () => /datastore PRIMARY_DATABASE_URL .* arrived 6\/6/.test(running.output()));
    expect(running.output().split('\nchanges\n')[1]).not.toContain('user:new');
  });

  test('an agent that is killed is started again, and the balancer answers meanwhile', async () => {
    const agent = copy.processes().find(({ command }) => command.includes('drover.mjs agent'));
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    expect((await fetch('http://127.0.0.1:1100')).status).toBe(200);
    await until('the agent is back', () =>
      fetch('http://127.0.0.1:8500/v2/status').then(
        (one) => one.ok,
        () => false,
      ),
    );
  });

  test('says who holds a port that is taken', async () => {
    const second = new RepositoryCopy();
    try {
      const { status, output } = await second.run('npm', 'start');
      expect(status).toBe(1);
      expect(output).toMatch(/127\.0\.0\.1:8500, wanted for HTTP, is held by .*\(pid \d+\)/);
    } finally {
      await second.dispose();
    }
  });

  test('after a SIGKILL the next start cleans up, and what was set is kept', async () => {
    const runner = copy.processes().find(({ command }) => command.includes('scripts/start.ts'));
    for (const { pid, command } of copy.processes())
      if (command.includes('scripts/start.ts')) process.kill(pid, 'SIGKILL');
    const { child } = running;
    if (runner === undefined) child.kill('SIGKILL');
    await until('npm start ended', () => child.exitCode !== null || child.signalCode !== null);
    await begin();
    expect(running.output()).toContain('cleaned up after an earlier run');
    const env = await copy.run('bin/drover', 'env', 'app-www', '--reveal');
    expect(env.output).toContain('user:new');
  });

  test('Ctrl-C stops everything it started', async () => {
    const { child } = running;
    process.kill(-(child.pid ?? 0), 'SIGINT');
    await once(child, 'exit');
    await until('nothing is left', () => copy.processes().length === 0, 15_000).catch((error: unknown) => {
      throw new Error(JSON.stringify([copy.processes(), running.output()]), { cause: error });
    });
    expect(await portsAreFree()).toBe(true);
  });
});
