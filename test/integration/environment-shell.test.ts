import { execFileSync, spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { EnvironmentFiles, renderEnvironment, runWithEnvironment } from '../../src/environment/index.ts';
import type { RunningCommand, RunWithEnvironmentOptions } from '../../src/environment/index.ts';
import { environmentOf, variableOf, viewWith } from '../../src/environment/testing.ts';
import { systemClock } from '../../src/lib/index.ts';
import type { ServiceEnvironment } from '../../src/registry/index.ts';
import { until } from '../until.ts';

let directory: string;
let running: RunningCommand[];

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'drover-shell-'));
  running = [];
});

afterEach(async () => {
  for (const one of running) one.kill('SIGKILL');
  await Promise.allSettled(running.map(({ exited }) => exited));
  await rm(directory, { recursive: true, force: true });
});

/** What a shell has after it read the text: the variables, NUL-separated. */
function readByShell(text: string, names: readonly string[]): string[] {
  const file = path.join(directory, 'read.conf');
  const script = `. '${file}'\nfor name in ${names.join(' ')}; do eval "printf '%s\\\\0' \\"\\$$name\\""; done`;
  execFileSync('tee', [file], { input: text, stdio: ['pipe', 'ignore', 'inherit'] });
  const { stdout } = spawnSync('/bin/sh', ['-c', script], { encoding: 'utf8', env: {} });
  return stdout.split('\0').slice(0, -1);
}

test('a shell reads back every value of a rendered environment, whatever characters it holds', () => {
  const nasty = fc.constantFrom(
    "'",
    '"',
    '`',
    '$',
    '\\',
    '\n',
    '\r',
    '!',
    '~',
    '*',
    '#',
    ';',
    '&',
    ' ',
    '=',
    'é',
    '\u0001',
  );
  const value = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 40 }),
    fc.array(nasty, { maxLength: 20 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(
      fc.array(
        value.filter((text) => !text.includes('\0')),
        { minLength: 1, maxLength: 8 },
      ),
      (values) => {
        const entries = values.map((one, index) => [`V${index}`, one] as const);
        const text = renderEnvironment(environmentOf('app', Object.fromEntries(entries)), 'shell', { reveal: true });
        expect(
          readByShell(
            text,
            entries.map(([name]) => name),
          ),
        ).toEqual(values);
      },
    ),
    { numRuns: 60 },
  );
});

test('`. FILE && ./cmd --opts` sees the three values of the document', async () => {
  const receipts: object[] = [];
  await using files = await EnvironmentFiles.start({
    directory,
    stateDirectory: path.join(directory, 'state'),
    clock: systemClock,
    receipt: (receipt) => receipts.push(receipt),
  });
  const values = {
    ENV: 'production',
    DATABASE_URL: 'mysql://user:password@host:port/database',
    API_URL: 'http://127.0.0.1:1100',
  };
  await files.offer(viewWith(1, [environmentOf('app', values)]));
  expect(receipts).toEqual([{ revision: 1, outcome: 'applied' }]);
  await writeFile(path.join(directory, 'cmd'), '#!/bin/sh\necho "$1 $DATABASE_URL $API_URL $ENV"\n');
  await chmod(path.join(directory, 'cmd'), 0o755);
  const { stdout } = spawnSync('/bin/sh', ['-c', '. ./app.conf && ./cmd --opts'], {
    cwd: directory,
    encoding: 'utf8',
    env: {},
  });
  expect(stdout).toBe(`--opts ${values.DATABASE_URL} ${values.API_URL} ${values.ENV}\n`);
});

test('a reader of a file that is replaced all the time sees the old content or the new', async () => {
  await using files = await EnvironmentFiles.start({
    directory,
    stateDirectory: path.join(directory, 'state'),
    clock: systemClock,
    receipt: () => undefined,
  });
  const value = (round: number): string => String(round % 10).repeat(20_000);
  await files.offer(viewWith(1, [environmentOf('app', { A: value(0) })]));
  let done = false;
  const reader = (async () => {
    for (let reads = 0; !done || reads === 0; reads++)
      expect(await readFile(path.join(directory, 'app.conf'), 'utf8')).toMatch(/^export A='(\d)\1{19999}'\n$/);
  })();
  for (let round = 1; round <= 50; round++)
    await files.offer(viewWith(round + 1, [environmentOf('app', { A: value(round) })]));
  done = true;
  await reader;
});

/** A source of environments that the test feeds. */
class Feed implements AsyncIterable<ServiceEnvironment> {
  #waiting = Promise.withResolvers<void>();
  readonly #values: ServiceEnvironment[] = [];
  #ended = false;

  push(...values: ServiceEnvironment[]): void {
    this.#values.push(...values);
    this.#waiting.resolve();
  }

  end(): void {
    this.#ended = true;
    this.#waiting.resolve();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ServiceEnvironment> {
    for (;;) {
      for (let next = this.#values.shift(); next; next = this.#values.shift()) yield next;
      if (this.#ended) return;
      this.#waiting = Promise.withResolvers();
      await this.#waiting.promise;
    }
  }
}

function run(script: string, feed: Feed, options: Partial<RunWithEnvironmentOptions> = {}): RunningCommand {
  const one = runWithEnvironment({
    updates: feed,
    command: ['/bin/sh', '-c', script],
    restart: true,
    inherited: { PATH: process.env['PATH'] ?? '' },
    clock: systemClock,
    killAfterMs: 300,
    cwd: directory,
    stdio: 'ignore',
    ...options,
  });
  running.push(one);
  return one;
}

const noted = async (): Promise<string[]> =>
  (await readFile(path.join(directory, 'noted'), 'utf8').catch(() => '')).split('\n').slice(0, -1);

const NOTE = 'echo "$A" >> noted; trap "exit 0" TERM; while :; do sleep 0.05; done';

test('runWithEnvironment() starts the command again when its values change, and only then', async () => {
  const feed = new Feed();
  const one = run(NOTE, feed);
  feed.push(environmentOf('app', { A: '1' }));
  await until('the first start', async () => (await noted()).length === 1);
  feed.push(environmentOf('app', { A: '1' }));
  feed.push({ service: 'app', variables: [variableOf('A', null)] });
  feed.push(environmentOf('app', { A: '2' }));
  await until('the second start', async () => (await noted()).length === 2);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(await noted()).toEqual(['1', '2']);
  one.kill('SIGKILL');
  expect(await one.exited).toEqual({ exitCode: 137, code: null, signal: 'SIGKILL' });
});

test('runWithEnvironment() kills a command that will not end for its new values', async () => {
  const feed = new Feed();
  run('echo "$A" >> noted; trap "" TERM; while :; do sleep 0.05; done', feed);
  feed.push(environmentOf('app', { A: '1' }));
  await until('the first start', async () => (await noted()).length === 1);
  feed.push(environmentOf('app', { A: '2' }), environmentOf('app', { A: '3' }));
  await until('the second start', async () => (await noted()).length === 2);
  expect(await noted()).toEqual(['1', '3']);
});

test('runWithEnvironment() never restarts when pinned, and returns the exit code', async () => {
  const feed = new Feed();
  const one = run('echo "$A" >> noted; while [ ! -e go ]; do sleep 0.02; done; exit 6', feed, { restart: false });
  feed.push(environmentOf('app', { A: '1' }), environmentOf('app', { A: '2' }));
  await until('the start', async () => (await noted()).length === 1);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await writeFile(path.join(directory, 'go'), '');
  expect(await one.exited).toEqual({ exitCode: 6, code: 6, signal: null });
  expect(await noted()).toEqual(['1']);
});

test('runWithEnvironment() waits for a whole environment, and rejects when there never is one', async () => {
  const feed = new Feed();
  const one = run('exit 0', feed);
  feed.push({ service: 'app', variables: [variableOf('A', null)] });
  feed.end();
  await expect(one.exited).rejects.toThrow('never had a whole environment');
});

test('runWithEnvironment() ends the command when aborted, and says 127 when there is no such program', async () => {
  const feed = new Feed();
  const abort = new AbortController();
  const one = run(NOTE, feed, { signal: abort.signal });
  feed.push(environmentOf('app', { A: '1' }));
  await until('the start', async () => (await noted()).length === 1);
  abort.abort();
  expect(await one.exited).toMatchObject({ exitCode: 0 });
  const other = new Feed();
  other.push(environmentOf('app', { A: '1' }));
  expect(await run('', other, { command: ['/no/such/program'] }).exited).toMatchObject({ exitCode: 127 });
});
