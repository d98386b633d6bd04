import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { EtcdCluster, type EtcdClusterOptions } from '../cluster/etcd-cluster.ts';
import { FreePorts } from '../cluster/free-ports.ts';
import { GuardedProcess } from '../cluster/guarded-process.ts';
import { until } from '../cluster/until.ts';
import { runProgram } from './run-program.ts';
import { perTestStack } from '../per-test-stack.ts';

const DROVER = path.resolve(import.meta.dirname, '../../bin/drover');

const stack = perTestStack();

const etcd = async (options: EtcdClusterOptions = {}): Promise<EtcdCluster> =>
  stack.use(await EtcdCluster.start(options));

/** A server over this store, with `etcd` of its configuration, as an operator starts it. */
async function server(store: string, access: object = {}): Promise<GuardedProcess> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'drover-input-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const file = path.join(folder, 'agent.json');
  await writeFile(file, JSON.stringify({ etcd: access }));
  const state = ['--data-dir', path.join(folder, 'data'), '--config-file', file, '--http-port', '0', '--dns-port', '0'];
  const words = ['agent', '--server', '--store', store, '--node', 'one', ...state];
  return stack.use(GuardedProcess.start({ program: DROVER, words, cwd: folder }));
}

const says = (agent: GuardedProcess, text: string | RegExp): Promise<void> =>
  until(
    () => agent.said.search(text) >= 0,
    30_000,
    () => agent.said,
  );

/** It ends by itself, and its last words are for who started it: no trace of calls. */
async function refuses(agent: GuardedProcess, ...texts: readonly RegExp[]): Promise<void> {
  await until(
    () => !agent.running,
    30_000,
    () => agent.said,
  );
  for (const text of texts) expect(agent.said).toMatch(text);
  expect(agent.said).not.toMatch(/^\s+at /m);
}

test('a server whose etcd is nowhere says what it waits for, and ends as soon as it is told', async () => {
  const nowhere = `127.0.0.1:${await new FreePorts().next('127.0.0.1')}`;
  const agent = await server(`etcd://${nowhere}`);
  await says(agent, 'waiting for the store');
  expect(agent.said).toContain(nowhere);
  agent.signal('SIGTERM');
  await until(
    () => !agent.running,
    10_000,
    () => agent.said,
  );
});

test('a password that etcd does not take is told with the user and the file, and never itself', async () => {
  const { url, folder } = await etcd({ auth: true });
  const file = path.join(folder, 'wrong');
  await writeFile(file, 'not-the-password', { mode: 0o600 });
  const agent = await server(url, { user: 'drover', password_file: file });
  await refuses(agent, /user drover/, new RegExp(file));
  expect(agent.said).not.toContain('not-the-password');
  await refuses(await server(url), /without user and certificate/);
});

test('a certificate of another authority, and none where etcd wants one, are told with the files', async () => {
  const [ours, theirs] = await Promise.all([etcd({ tls: true }), etcd({ tls: true })]);
  const { ca, cert, key } = theirs.tls as NonNullable<EtcdCluster['tls']>;
  await refuses(
    await server(ours.url, { ca_file: ca, cert_file: cert, key_file: key }),
    /certificate/i,
    new RegExp(ca),
  );
  const plain = await server(ours.url);
  await says(plain, /waiting for the store: .* TLS: then name its authority with etcd\.ca_file/);
});

test('data of somebody else under the prefix, and a layout of a later drover, are left as they are', async () => {
  const cluster = await etcd();
  await cluster.etcdctl('put', '/drover/meta', 'mine');
  await refuses(await server(cluster.url), /\/drover\/meta/);
  const later = '{"layout":99,"generation":0,"revision":0}';
  await cluster.etcdctl('put', '/drover/meta', later);
  await refuses(await server(cluster.url), /layout 99/);
  expect((await cluster.etcdctl('get', '', '--from-key')).trim().split('\n')).toEqual(['/drover/meta', later]);
});

test('an etcd without space refuses writes and says how to mend it; reads, and what was there, go on', async () => {
  const cluster = await etcd({ flags: ['--quota-backend-bytes=8388608'] });
  const agent = await server(cluster.url);
  await says(agent, '"msg":"ready"');
  const { http } = JSON.parse(agent.said.split('\n').find((line) => line.includes('"msg":"ready"')) as string) as {
    readonly http: string;
  };
  const drover = (...words: readonly string[]): ReturnType<typeof runProgram> =>
    runProgram(DROVER, words, { env: { DROVER_HTTP_ADDR: http } });
  expect((await drover('kv:put', 'before', '1')).code).toBe(0);
  const body = 'x'.repeat(500_000);
  const fill = async (index: number): Promise<boolean> =>
    (await fetch(`${http}/v1/kv/fill?flags=${index}`, { method: 'PUT', body })).ok;
  let index = 0;
  await until(async () => !(await fill(index++)), 60_000);
  const refused = await drover('kv:put', 'after', '1');
  expect(refused.code).not.toBe(0);
  expect(refused.stderr).toMatch(/no space|full/i);
  expect((await drover('kv:get', 'before')).stdout.trim()).toBe('1');
  expect((await drover('doctor')).stdout).toMatch(/full|no space/i);
  expect((await drover('kv:get', 'after')).code).not.toBe(0);
});
