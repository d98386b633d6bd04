import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { migrateStore, openStore, prefixRange, type Entry, type Txn, type Write } from '../../src/store/index.ts';
import { EtcdCluster } from '../cluster/etcd-cluster.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');
/** A busy machine with two cores keeps it. */
const WITHIN_MS = 30_000;

let root = '';
let count = 0;
let stack = new AsyncDisposableStack();

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'drover-migrate-'));
});
afterEach(async () => {
  const used = stack;
  stack = new AsyncDisposableStack();
  await used.disposeAsync();
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
});

const fresh = (): string => `sqlite:${path.join(root, String(count++))}`;
const directoryOf = (url: string): string => url.slice('sqlite:'.length);

async function put(url: string, ...keys: string[]): Promise<number> {
  await using store = await openStore(url);
  for (const key of keys) await store.commit({ compares: [], writes: [{ type: 'put', key, value: `of ${key}` }] });
  return store.status().revision;
}

async function stateOf(url: string): Promise<{ entries: Entry[]; revision: number }> {
  await using store = await openStore(url);
  return await store.read(prefixRange(''));
}

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Writes, overwrites and deletes some thousand keys of any bytes, in many revisions. */
async function fillAtRandom(url: string, seed: number, rounds: number): Promise<void> {
  const random = randomOf(seed);
  const below = (bound: number): number => Math.floor(random() * bound);
  const families = ['kv/', 'node/', 'inst/n/', 'chk/n/', 'tomb/svc/', 'own/', 'lead/'];
  const keyOfRandom = (): string =>
    `${families[below(families.length)]}${below(3000)}${String.fromCharCode(below(256))}`;
  const writeOf = (key: string): Write =>
    below(6) === 0 ? { type: 'delete', key } : { type: 'put', key, value: `ü${'x'.repeat(below(600))}` };
  await using store = await openStore(url);
  await Promise.all(
    Array.from({ length: rounds }, () => {
      const keys = new Set(Array.from({ length: 1 + below(12) }, keyOfRandom));
      const txn: Txn = { compares: [], writes: [...keys].map(writeOf) };
      return store.commit(txn);
    }),
  );
}

function withoutRunning(entries: readonly Entry[]): Entry[] {
  return entries.filter(({ key }) => !/^(?:own|srv|lead)\//.test(key));
}

test('migrateStore() brings everything from one directory to another, with its revisions', async () => {
  const [from, to] = [fresh(), fresh()];
  await fillAtRandom(from, 1, 400);
  const before = await stateOf(from);
  const done = await migrateStore({ from, to });
  expect(done.entries + done.left).toBe(before.entries.length);
  expect(done.left).toBeGreaterThan(0);
  expect(await stateOf(from)).toEqual(before);
  expect(await stateOf(to)).toEqual({ entries: withoutRunning(before.entries), revision: before.revision });
});

test('migrateStore() takes an empty store', async () => {
  const [from, to] = [fresh(), fresh()];
  await put(from);
  expect(await migrateStore({ from, to })).toMatchObject({ entries: 0, families: {} });
  expect(await put(to, 'a')).toBeGreaterThan(0);
});

test('migrateStore() replaces what the target holds only when told, also when it was further', async () => {
  const [from, to] = [fresh(), fresh()];
  await put(from, 'a');
  await put(to, 'x', 'y', 'z');
  await expect(migrateStore({ from, to })).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' });
  await expect(migrateStore({ from, to, isDryRun: true })).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' });
  expect((await stateOf(to)).entries).toHaveLength(3);
  await migrateStore({ from, to, mayReplace: true });
  expect((await stateOf(to)).entries).toEqual((await stateOf(from)).entries);
  expect(await put(to, 'b')).toBe(3);
});

test('migrateStore() changes nothing when it only looks', async () => {
  const [from, to] = [fresh(), fresh()];
  await put(from, 'a', 'b');
  expect(await migrateStore({ from, to, isDryRun: true })).toMatchObject({ entries: 2, dryRun: true });
  expect(existsSync(directoryOf(to))).toBe(false);
});

test('migrateStore() leaves a target that an agent runs on as it was, and nothing beside it', async () => {
  const [from, to] = [fresh(), fresh()];
  await put(from, 'a');
  await put(to, 'x');
  await using _agent = await openStore(to);
  await expect(migrateStore({ from, to, mayReplace: true })).rejects.toMatchObject({ code: 'STORE_IN_USE' });
  expect((await readdir(directoryOf(to))).filter((name) => name.startsWith('replacing-'))).toEqual([]);
});

test('migrateStore() refuses a source that an agent runs on, that is not there, or that is the target', async () => {
  const [from, to] = [fresh(), fresh()];
  await put(from, 'a');
  const refused: [from: string, to: string, code: string][] = [
    ['memory:', to, 'STORE_NOT_KEPT'],
    [from, 'memory:', 'STORE_NOT_KEPT'],
    [fresh(), to, 'STORE_NOT_THERE'],
    [from, from, 'STORE_SAME'],
    [from, `${from}/../${path.basename(from)}`, 'STORE_SAME'],
    [from, 'postgres:x', 'STORE_BAD_URL'],
    [from, 'etcd://', 'STORE_BAD_ETCD_URL'],
  ];
  for (const [one, other, code] of refused)
    await expect(migrateStore({ from: one, to: other })).rejects.toMatchObject({ code });
  await using _agent = await openStore(from);
  await expect(migrateStore({ from, to })).rejects.toMatchObject({ code: 'STORE_IN_USE' });
  expect(existsSync(directoryOf(to))).toBe(false);
});

requireComponent('etcd')('migrateStore() to etcd', () => {
  test('brings thousands of entries there and back, and compare-and-swap goes on', async () => {
    const etcd = stack.use(await EtcdCluster.start({ members: 3 }));
    const [from, back] = [fresh(), fresh()];
    await fillAtRandom(from, 2, 1500);
    const before = await stateOf(from);
    const entries = withoutRunning(before.entries);
    expect(entries.length).toBeGreaterThan(2000);
    const there = await migrateStore({ from, to: etcd.url });
    expect(await stateOf(etcd.url)).toEqual({ entries, revision: before.revision });
    const [some] = entries as [Entry];
    {
      await using store = await openStore(etcd.url);
      const swap = (modRevision: number): ReturnType<typeof store.commit> =>
        store.commit({
          compares: [{ key: some.key, modRevision }],
          writes: [{ type: 'put', key: some.key, value: 'swapped' }],
        });
      expect(await swap(some.modRevision + 1)).toMatchObject({ ok: false, entries: [some] });
      expect(await swap(some.modRevision)).toEqual({ ok: true, revision: before.revision + 1 });
    }
    const again = await migrateStore({ from: etcd.url, to: back });
    expect(again).toMatchObject({ entries: there.entries, revision: before.revision + 1, left: 0 });
    expect(again.digest).not.toBe(there.digest);
    expect(await stateOf(back)).toEqual(await stateOf(etcd.url));
  });

  test('refuses an etcd that servers run on, that holds something, foreign data or a newer layout, and changes nothing', async () => {
    const etcd = stack.use(await EtcdCluster.start());
    const from = fresh();
    await put(from, 'kv/a');
    {
      await using server = await openStore(etcd.url);
      const lease = await server.lease(30_000);
      await server.commit({ compares: [], writes: [{ type: 'put', key: 'srv/s1', value: '{}', lease }] });
      const served = { code: 'STORE_SERVED', message: expect.stringMatching(/: s1$/) as string };
      await expect(migrateStore({ from, to: etcd.url, mayReplace: true })).rejects.toMatchObject(served);
      await expect(migrateStore({ from: etcd.url, to: fresh() })).rejects.toMatchObject(served);
      await lease.revoke();
    }
    await put(etcd.url, 'x');
    await expect(migrateStore({ from, to: etcd.url })).rejects.toMatchObject({ code: 'STORE_NOT_EMPTY' });
    expect((await stateOf(etcd.url)).entries.map(({ key }) => key)).toEqual(['x']);
    await migrateStore({ from, to: etcd.url, mayReplace: true });
    expect((await stateOf(etcd.url)).entries).toEqual((await stateOf(from)).entries);
    await etcd.etcdctl('put', '/drover/meta', '{"layout":99,"generation":0,"revision":5}');
    await expect(migrateStore({ from, to: etcd.url })).rejects.toMatchObject({ code: 'STORE_NEWER_LAYOUT' });
    await etcd.etcdctl('put', '/drover/meta', 'mine');
    await expect(migrateStore({ from, to: etcd.url })).rejects.toMatchObject({ code: 'STORE_FOREIGN_DATA' });
    await expect(migrateStore({ from, to: 'etcd://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'STORE_ETCD_UNREACHABLE',
    });
  });

  test('leaves the target as it was when it is full', async () => {
    const etcd = stack.use(await EtcdCluster.start({ flags: ['--quota-backend-bytes=400000'] }));
    const from = fresh();
    await fillAtRandom(from, 3, 1000);
    await expect(migrateStore({ from, to: etcd.url })).rejects.toMatchObject({ code: 'STORE_FULL' });
    expect((await stateOf(etcd.url)).entries).toEqual([]);
  });

  test('leaves the target as it was, or has done all of it, when it is killed', async () => {
    const etcd = stack.use(await EtcdCluster.start());
    const from = fresh();
    await fillAtRandom(from, 4, 3000);
    const before = await stateOf(from);
    const seen = new Set<number>();
    for (const delayMs of [150, 50, 10, 0]) {
      const { child } = start('store:migrate', '--from', from, '--to', etcd.url, '--replace');
      const filled = until(async () => /^\/drover\/1\.\d+\//m.test(await someKeys(etcd)), WITHIN_MS);
      await Promise.race([filled.catch(() => undefined), once(child, 'exit')]);
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const { entries } = await stateOf(etcd.url);
      seen.add(entries.length);
      if (entries.length > 0) expect(entries).toEqual(withoutRunning(before.entries));
      expect(await stateOf(from)).toEqual(before);
    }
    expect([...seen].every((many) => many === 0 || many === withoutRunning(before.entries).length)).toBe(true);
    await migrateStore({ from, to: etcd.url, mayReplace: true });
    expect((await stateOf(etcd.url)).entries).toEqual(withoutRunning(before.entries));
  });
});

function someKeys(etcd: EtcdCluster): Promise<string> {
  return etcd.etcdctl('get', '/drover/1.', '--prefix', '--keys-only', '--limit=3');
}

interface Started {
  readonly child: ChildProcess;
  readonly said: () => string;
}

/** A command line that does not outlive the test. */
function start(...words: string[]): Started {
  const child = spawn(DROVER, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (said += text));
  stack.defer(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
  return { child, said: () => said };
}

async function ended({ child, said }: Started): Promise<{ code: number | null; said: string }> {
  if (child.exitCode === null) await once(child, 'close');
  return { code: child.exitCode, said: said() };
}

interface Agent extends Started {
  readonly origin: string;
}

async function startAgent(store: string, ...more: string[]): Promise<Agent> {
  const data = path.join(root, `agent-${count++}`);
  const flags = ['--data-dir', data, '--node', 'one', '--timing', 'local', '--http-port', '0', '--dns-port', '0'];
  const agent = start('agent', '--server', '--store', store, ...flags, ...more);
  const origin = (): string | undefined => /"http":"(http:\/\/[^"]+)"/.exec(agent.said())?.[1];
  await until(() => origin() !== undefined, WITHIN_MS, agent.said);
  return { ...agent, origin: origin() ?? '' };
}

async function stop({ child }: Agent): Promise<void> {
  child.kill('SIGTERM');
  if (child.exitCode === null) await once(child, 'exit');
}

requireComponent('etcd')('drover store:migrate', () => {
  test("moves a region to etcd while a client keeps its index and its compare-and-swap's", async () => {
    const etcd = stack.use(await EtcdCluster.start({ members: 3 }));
    const from = fresh();
    const words = ['store:migrate', '--from', from, '--to', etcd.url];
    const before = await startAgent(from);
    await fetch(`${before.origin}/v1/kv/app/a`, { method: 'PUT', body: 'first' });
    await fetch(`${before.origin}/v1/kv/app/b`, { method: 'PUT', body: 'b' });
    const read = await fetch(`${before.origin}/v1/kv/app/a`);
    const [{ ModifyIndex: modified, CreateIndex: created }] = (await read.json()) as [Record<string, number>];
    const index = read.headers.get('x-consul-index');
    expect(await ended(start(...words))).toMatchObject({ code: 6, said: expect.stringContaining('in use') as string });
    await stop(before);
    const dry = await ended(start(...words, '--dry-run', '--json'));
    expect([dry.code, JSON.parse(dry.said)]).toMatchObject([0, { dryRun: true, families: { kv: 2 } }]);
    const moved = await ended(start(...words));
    expect(moved).toMatchObject({
      code: 0,
      said: expect.stringMatching(/moved from.*\n.*kv 2.*read back and equal/s) as string,
    });
    const after = await startAgent(etcd.url);
    const [kv] = (await (await fetch(`${after.origin}/v1/kv/app/a`)).json()) as [Record<string, unknown>];
    expect(kv).toMatchObject({ ModifyIndex: modified, CreateIndex: created });
    const swap = async (cas: number): Promise<string> =>
      (await fetch(`${after.origin}/v1/kv/app/a?cas=${cas}`, { method: 'PUT', body: 'second' })).text();
    const waiting = fetch(`${after.origin}/v1/kv/app/a?index=${index}&wait=60s`);
    expect(await swap((modified ?? 0) + 1)).toMatch(/^false/);
    expect(await swap(modified ?? 0)).toMatch(/^true/);
    const woken = await waiting;
    expect(Number(woken.headers.get('x-consul-index'))).toBeGreaterThan(Number(index));
    expect(await woken.json()).toMatchObject([{ Value: Buffer.from('second').toString('base64') }]);
    await stop(after);
  });

  test('speaks to etcd as the configuration says, and so does the agent after it', async () => {
    const etcd = stack.use(await EtcdCluster.start({ tls: true, auth: true }));
    const from = fresh();
    await put(from, 'kv/a');
    const config = path.join(root, 'agent.json');
    const { ca, cert, key } = etcd.tls ?? { ca: '', cert: '', key: '' };
    const configure = (settings: object): Promise<void> =>
      writeFile(config, JSON.stringify({ etcd: { ca_file: ca, cert_file: cert, key_file: key, ...settings } }));
    await configure({});
    const words = ['store:migrate', '--from', from, '--to', etcd.url];
    expect(await ended(start(...words))).toMatchObject({
      code: 1,
      said: expect.stringContaining('STORE_ETCD_UNREACHABLE') as string,
    });
    expect(await ended(start(...words, '--config-file', config))).toMatchObject({ code: 0 });
    expect(await ended(start('store:migrate', '--from', from))).toMatchObject({
      code: 2,
      said: expect.stringContaining('--to is missing') as string,
    });
    const agent = await startAgent(etcd.url, '--config-file', config);
    expect(await (await fetch(`${agent.origin}/v1/kv/b`, { method: 'PUT', body: 'x' })).text()).toMatch(/^true/);
    await stop(agent);
    const password = path.join(root, 'password');
    await writeFile(password, 'mistaken-secret', { mode: 0o600 });
    await configure({ user: 'drover', password_file: password });
    const flags = ['--data-dir', path.join(root, 'refused'), '--http-port', '0', '--dns-port', '0'];
    const refused = await ended(start('agent', '--server', '--store', etcd.url, '--config-file', config, ...flags));
    expect(refused.code).toBe(1);
    expect(refused.said).toMatch(/STORE_ETCD_DENIED: etcd refuses user drover with the password in .*password/);
    expect(refused.said).not.toContain('mistaken-secret');
  });
});
