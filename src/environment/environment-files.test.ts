import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Receipt } from '../change/index.ts';
import { FakeClock } from '../lib/index.ts';
import { EnvironmentFiles } from './environment-files.ts';
import type { EnvironmentFilesOptions } from './environment-files.ts';
import { environmentOf, variableOf, viewWith } from './testing.ts';

let root: string;
let directory: string;
let clock: FakeClock;
let receipts: Omit<Receipt, 'node' | 'kind'>[];

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'drover-environment-'));
  directory = path.join(root, 'services.d');
  clock = new FakeClock();
  receipts = [];
});

afterEach(() => rm(root, { recursive: true, force: true }));

const start = (options: Partial<EnvironmentFilesOptions> = {}): Promise<EnvironmentFiles> =>
  EnvironmentFiles.start({
    directory,
    stateDirectory: path.join(root, 'state'),
    receipt: (receipt) => receipts.push(receipt),
    clock,
    ...options,
  });
const read = (name: string): Promise<string> => readFile(path.join(directory, name), 'utf8');
const app = (value: string): ReturnType<typeof environmentOf> => environmentOf('app', { API_URL: value });

test('EnvironmentFiles writes a file for each service, with its mode, and says applied', async () => {
  await using files = await start();
  await files.offer(viewWith(3, [app('http://a'), environmentOf('job', { B: 'b' })]));
  expect(await read('app.conf')).toBe("export API_URL='http://a'\n");
  expect(await read('job.conf')).toBe("export B='b'\n");
  expect((await stat(path.join(directory, 'app.conf'))).mode & 0o777).toBe(0o640);
  expect((await stat(directory)).mode & 0o777).toBe(0o755);
  expect(await readdir(directory)).toEqual(['app.conf', 'job.conf']);
  expect(receipts).toEqual([{ revision: 3, outcome: 'applied' }]);
});

test('EnvironmentFiles does not write what is the same, also after a restart', async () => {
  {
    await using files = await start();
    await files.offer(viewWith(1, [app('http://a')]));
  }
  const long = new Date('2020-01-01');
  await utimes(path.join(directory, 'app.conf'), long, long);
  await using files = await start();
  await files.offer(viewWith(2, [app('http://a')]));
  expect((await stat(path.join(directory, 'app.conf'))).mtime).toEqual(long);
  expect(receipts.at(-1)).toEqual({ revision: 2, outcome: 'unchanged' });
});

test('EnvironmentFiles mends content and mode that somebody changed', async () => {
  await using files = await start({ mode: 0o600 });
  await files.offer(viewWith(1, [app('http://a')]));
  await chmod(path.join(directory, 'app.conf'), 0o644);
  await files.offer(viewWith(2, [app('http://a')]));
  expect((await stat(path.join(directory, 'app.conf'))).mode & 0o777).toBe(0o600);
  await writeFile(path.join(directory, 'app.conf'), 'by hand');
  await files.offer(viewWith(3, [app('http://a')]));
  expect(await read('app.conf')).toBe("export API_URL='http://a'\n");
  expect(receipts.map(({ outcome }) => outcome)).toEqual(['applied', 'applied', 'applied']);
});

test('EnvironmentFiles leaves the old file when a name is missing, names it, and writes the others', async () => {
  await using files = await start();
  await files.offer(viewWith(1, [app('http://a'), environmentOf('job', { B: 'b' })]));
  const broken = { service: 'app', variables: [variableOf('API_URL', null, { unresolved: ['API_URL', 'DB'] })] };
  await files.offer(viewWith(2, [broken, environmentOf('job', { B: 'c' })]));
  expect(await read('app.conf')).toBe("export API_URL='http://a'\n");
  expect(await read('job.conf')).toBe("export B='c'\n");
  expect(receipts.at(-1)).toEqual({
    revision: 2,
    outcome: 'refused',
    reason: 'app: API_URL is missing, DB is missing',
  });
  expect(clock.pending).toBe(0);
});

test('EnvironmentFiles writes waiting with a value and stale, and is held by waiting without one', async () => {
  await using files = await start();
  const waiting = variableOf('API_URL', 'http://127.0.0.1:1100', { state: 'waiting', unresolved: ['API_URL'] });
  const stale = variableOf('CACHE', 'redis://old', { state: 'stale', unresolved: ['CACHE'] });
  await files.offer(viewWith(1, [{ service: 'app', variables: [waiting, stale] }]));
  expect(await read('app.conf')).toBe("export API_URL='http://127.0.0.1:1100'\nexport CACHE='redis://old'\n");
  await files.offer(viewWith(2, [{ service: 'job', variables: [variableOf('Q', null, { state: 'waiting' })] }]));
  expect(receipts.at(-1)).toEqual({ revision: 2, outcome: 'held', reason: 'job: Q has no value yet' });
});

test('EnvironmentFiles removes the files of services that went, but only those it wrote', async () => {
  await mkdir(directory);
  await writeFile(path.join(directory, 'foreign.conf'), 'x');
  {
    await using files = await start();
    await files.offer(viewWith(1, [app('http://a')]));
  }
  await using files = await start();
  await files.offer(viewWith(2, []));
  expect(await readdir(directory)).toEqual(['foreign.conf']);
  expect(receipts.at(-1)).toEqual({ revision: 2, outcome: 'applied' });
  await files.offer(viewWith(3, []));
  expect(receipts.at(-1)).toEqual({ revision: 3, outcome: 'unchanged' });
});

test('EnvironmentFiles refuses a directory that it cannot use and tries again with back-off', async () => {
  await writeFile(directory, 'a file where the directory should be');
  await using files = await start({ backoff: { firstMs: 100, mostMs: 300 } });
  await files.offer(viewWith(1, [app('http://a')]));
  expect(receipts.at(-1)).toMatchObject({ revision: 1, outcome: 'refused', retryAt: '2026-01-01T00:00:00.100Z' });
  await clock.advance(100);
  await settled();
  expect(receipts).toHaveLength(2);
  expect(receipts.at(-1)?.retryAt).toBe('2026-01-01T00:00:00.300Z');
  await rm(directory);
  await clock.advance(200);
  await settled();
  expect(receipts.at(-1)).toEqual({ revision: 1, outcome: 'applied' });
  expect(await read('app.conf')).toContain('http://a');
});

/** Lets real file system calls end, which the fake clock knows nothing of. */
async function settled(): Promise<void> {
  const seen = receipts.length;
  for (let tries = 0; tries < 100 && receipts.length === seen; tries++)
    await new Promise((resolve) => setTimeout(resolve, 5));
}

test('EnvironmentFiles cleans up what a killed write left and starts over with a damaged list', async () => {
  await mkdir(directory);
  await mkdir(path.join(root, 'state'));
  await writeFile(path.join(directory, '.app.conf.0011aabbccdd.drover-tmp'), 'export SECRET=');
  await writeFile(path.join(root, 'state', 'environment-files.json'), '{"version": 1, "files": ["../../etc/passwd"]}');
  const said: string[] = [];
  await using files = await start({ log: (message) => said.push(message) });
  await files.offer(viewWith(1, []));
  expect(await readdir(directory)).toEqual([]);
  expect(said[0]).toMatch(/damaged/);
});
