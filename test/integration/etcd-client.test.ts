import { chmod, copyFile, mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { systemClock } from '../../src/lib/index.ts';
import { EtcdCallFailed } from '../../src/store/etcd/client.ts';
import { ConnectEtcdClient } from '../../src/store/etcd/connect-client.ts';
import { Compare_CompareResult, Compare_CompareTarget } from '../../src/store/etcd/generated/rpc_pb.ts';
import type { EtcdSettings } from '../../src/store/etcd/settings.ts';
import { troubleOf } from '../../src/store/etcd/trouble-of.ts';
import { makeCertificates } from '../cluster/certificates.ts';
import { ETCD_USERS, EtcdCluster, type EtcdClusterOptions } from '../cluster/etcd-cluster.ts';
import { until } from '../cluster/until.ts';
import { requireComponent } from '../require-component.ts';
import { perTestStack } from '../per-test-stack.ts';

const WITHIN_MS = 20_000;
const ALL = { key: bytes('\0'), rangeEnd: bytes('\0') };

const stack = perTestStack();

async function cluster(options: EtcdClusterOptions = {}): Promise<EtcdCluster> {
  return stack.use(await EtcdCluster.start(options));
}

interface Client {
  readonly client: ConnectEtcdClient;
  readonly reports: string[];
  readonly settings: EtcdSettings;
}

/** With all that the cluster asks for, unless told otherwise. */
async function clientOf(etcd: EtcdCluster, given: Partial<EtcdSettings> = {}): Promise<Client> {
  const { tls } = etcd;
  const settings: EtcdSettings = {
    endpoints: etcd.endpoints,
    tls: tls === null ? null : { caFile: tls.ca, certFile: tls.cert, keyFile: tls.key },
    user: null,
    ...given,
  };
  const reports: string[] = [];
  const report = (error: unknown): void => void reports.push(String(error));
  const client = await ConnectEtcdClient.start({ settings, clock: systemClock, random: () => 0.5, report });
  return { client: stack.use(client), reports, settings };
}

function bytes(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

function put(client: ConnectEtcdClient, key: string, value: string | Uint8Array = 'x', timeoutMs = 5000) {
  const request = { key: bytes(key), value: typeof value === 'string' ? bytes(value) : value };
  return client.txn({ success: [{ request: { case: 'requestPut', value: request } }] }, { timeoutMs });
}

async function failureOf(call: Promise<unknown>): Promise<EtcdCallFailed> {
  const error: unknown = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof EtcdCallFailed) return error;
  throw new Error('the call did not fail as a call does', { cause: error });
}

async function keysOf(client: ConnectEtcdClient): Promise<string[]> {
  const { kvs } = await client.range(ALL);
  return kvs.map(({ key }) => Buffer.from(key).toString('latin1'));
}

async function drain(responses: AsyncIterable<unknown>): Promise<void> {
  for await (const response of responses) void response;
}

/** Whether a write succeeds now. */
function isWritable(client: ConnectEtcdClient, key: string): Promise<boolean> {
  return put(client, key).then(
    () => true,
    () => false,
  );
}

/** Where the member in use stands among those of the cluster. */
function indexInUse(etcd: EtcdCluster, client: ConnectEtcdClient): number {
  return etcd.endpoints.indexOf(client.health.endpoint);
}

requireComponent('etcd')('ConnectEtcdClient', () => {
  test('makes every call when there is one member', async () => {
    const { client } = await clientOf(await cluster());
    expect(client.health.lastContactAtMs).toBe(-Infinity);
    const first = await put(client, 'a', '1');
    expect(await keysOf(client)).toEqual(['a']);
    const isOld = {
      result: Compare_CompareResult.EQUAL,
      target: Compare_CompareTarget.MOD,
      key: bytes('a'),
      targetUnion: { case: 'modRevision' as const, value: 1n },
    };
    expect(await client.txn({ compare: [isOld], success: [] })).toMatchObject({ succeeded: false });
    const { ID: id, TTL: ttl } = await client.leaseGrant(20);
    expect(ttl).toBe(20n);
    expect(await client.leaseKeepAlive(id)).toBe(20);
    await client.leaseRevoke(id);
    expect(await client.leaseKeepAlive(id)).toBeLessThanOrEqual(0);
    expect(await client.memberList()).toHaveLength(1);
    expect(await client.status()).toMatchObject({ version: expect.stringMatching(/^3\./) as string });
    await put(client, 'b');
    await client.compact(first.header?.revision ?? 0n);
    expect(systemClock.now() - client.health.lastContactAtMs).toBeLessThan(5000);
    expect(client.health.failure).toBeUndefined();
  });

  test('says what a failure means when etcd refuses a call', async () => {
    const { client } = await clientOf(await cluster());
    await put(client, 'a');
    await client.compact((await put(client, 'a')).header?.revision ?? 0n);
    const twice = { request: { case: 'requestPut' as const, value: { key: bytes('a') } } };
    const many = Array.from({ length: 600 }, (_, at) => ({
      request: { case: 'requestPut' as const, value: { key: bytes(`k${at}`) } },
    }));
    const refused: [() => Promise<unknown>, string][] = [
      [() => client.range({ ...ALL, revision: 1n }), 'compacted'],
      [() => client.compact(1n), 'compacted'],
      [() => client.txn({ success: [twice, twice] }), 'invalid'],
      [() => client.txn({ success: many }), 'invalid'],
      [() => put(client, 'big', new Uint8Array(1_700_000)), 'invalid'],
      [() => client.leaseRevoke(123n), 'no-lease'],
      [
        () => client.txn({ success: [{ request: { case: 'requestPut', value: { key: bytes('l'), lease: 123n } } }] }),
        'no-lease',
      ],
    ];
    for (const [call, kind] of refused) expect(await failureOf(call())).toMatchObject({ kind, outcome: 'none' });
    expect(await failureOf(client.range(ALL, { signal: AbortSignal.abort() }))).toMatchObject({ kind: 'aborted' });
    expect(await keysOf(client)).toEqual(['a']);
  });

  test('full: says so when there is no space', async () => {
    const { client } = await clientOf(await cluster({ flags: ['--quota-backend-bytes=300000'] }));
    let failure: EtcdCallFailed | undefined;
    for (let at = 0; at < 20 && failure === undefined; at++) {
      await put(client, `k${at}`, new Uint8Array(50_000)).catch((error: EtcdCallFailed) => (failure = error));
    }
    expect(failure).toMatchObject({ kind: 'full', outcome: 'none' });
    expect((await client.range({ ...ALL, keysOnly: true })).kvs.length).toBeGreaterThan(0);
  });

  test('watch() gives what happens, what is compacted, and ends quietly only when aborted', async () => {
    const { client } = await clientOf(await cluster());
    const stop = new AbortController();
    const seen: string[] = [];
    const watching = (async () => {
      for await (const { created, events } of client.watch({ ...ALL, fragment: true }, stop.signal)) {
        seen.push(created ? 'created' : events.map(({ kv }) => Buffer.from(kv?.key ?? []).toString()).join());
      }
    })();
    await until(() => seen.length === 1, WITHIN_MS);
    await put(client, 'a');
    await until(() => seen.length === 2, WITHIN_MS);
    expect(seen).toEqual(['created', 'a']);
    stop.abort();
    await watching;
    await client.compact((await put(client, 'b')).header?.revision ?? 0n);
    for await (const { canceled, compactRevision } of client.watch(
      { ...ALL, startRevision: 1n },
      AbortSignal.timeout(WITHIN_MS),
    )) {
      if (!canceled) continue;
      expect(compactRevision).toBeGreaterThan(0n);
      return;
    }
    expect.fail('the compaction was not told');
  });

  test('goes on with another member when the one in use is killed, and says that a write may have happened', async () => {
    const etcd = await cluster({ members: 3 });
    const { client, reports } = await clientOf(etcd);
    await put(client, 'a');
    const lost = failureOf(drain(client.watch(ALL, AbortSignal.timeout(WITHIN_MS))));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = indexInUse(etcd, client);
    await etcd.kill(before);
    expect(await lost).toMatchObject({ kind: 'unavailable', outcome: 'none' });
    await until(() => isWritable(client, 'b'), WITHIN_MS);
    expect(await keysOf(client)).toEqual(['a', 'b']);
    expect(indexInUse(etcd, client)).not.toBe(before);
    expect(reports.length).toBeGreaterThan(0);
    await etcd.start(before);
  });

  test('leaves a member that is stopped when a call or a watch hears nothing from it', async () => {
    const etcd = await cluster({ members: 3 });
    const { client } = await clientOf(etcd);
    await put(client, 'a');
    const lost = failureOf(drain(client.watch(ALL, AbortSignal.timeout(WITHIN_MS))));
    let failed: unknown;
    await new Promise((resolve) => setTimeout(resolve, 300));
    let stopped = indexInUse(etcd, client);
    etcd.pause(stopped);
    // A client that has just gone over to another member does not notice: then it is that one's turn.
    while (
      await put(client, 'b', 'x', 1000).then(
        () => true,
        (error: unknown) => ((failed = error), false),
      )
    ) {
      etcd.resume(stopped);
      stopped = indexInUse(etcd, client);
      etcd.pause(stopped);
    }
    expect(failed).toMatchObject({ kind: 'timeout', outcome: 'unknown' });
    expect(await lost).toMatchObject({ kind: 'unavailable' });
    await until(() => isWritable(client, 'c'), WITHIN_MS);
    expect(await keysOf(client)).toContain('c');
    etcd.resume(stopped);
    await until(async () => (await client.status(etcd.endpoints[stopped])).leader !== 0n, WITHIN_MS);
  });

  test('reads in a transaction at another member when the one in use is stopped', async () => {
    const etcd = await cluster({ members: 3 });
    const { client } = await clientOf(etcd);
    await put(client, 'a');
    const stopped = indexInUse(etcd, client);
    etcd.pause(stopped);
    const reading = { success: [{ request: { case: 'requestRange' as const, value: ALL } }] };
    // The one that is stopped may have led: then it takes an election.
    const { responses } = await client.txn(reading, { timeoutMs: 10_000 });
    expect(responses).toHaveLength(1);
    etcd.resume(stopped);
  });

  test('starts with a member that is stopped when another answers', async () => {
    const etcd = await cluster({ members: 3 });
    etcd.pause(0);
    const { client } = await clientOf(etcd);
    await put(client, 'a', 'x', 20_000);
    expect(await keysOf(client)).toEqual(['a']);
  });

  test('says that there is no leader when the quorum is lost, and still reads', async () => {
    const etcd = await cluster({ members: 3 });
    const { client } = await clientOf(etcd);
    await put(client, 'a');
    const left = indexInUse(etcd, client);
    const lost = failureOf(drain(client.watch(ALL, AbortSignal.timeout(WITHIN_MS))));
    for (const index of [0, 1, 2]) if (index !== left) await etcd.kill(index);
    expect(await lost).toMatchObject({ kind: 'unavailable', message: expect.stringMatching(/no leader/) as string });
    expect(await failureOf(put(client, 'b'))).toMatchObject({ kind: 'unavailable', outcome: 'none' });
    expect((await client.range({ ...ALL, serializable: true })).kvs).toHaveLength(1);
    for (const index of [0, 1, 2]) if (index !== left) await etcd.start(index);
    await until(() => isWritable(client, 'c'), WITHIN_MS);
    expect(client.health.failure).toBeUndefined();
  });

  test('asks a dead cluster a few times a second when it is called all the time', async () => {
    const etcd = await cluster();
    const { client, reports } = await clientOf(etcd);
    await put(client, 'a');
    await etcd.kill(0);
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      expect(await failureOf(put(client, 'b'))).toMatchObject({ kind: 'unavailable' });
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(reports.length).toBeLessThan(5);
    expect(client.health.failure).toMatch(/ECONNREFUSED/);
  });

  test('learns of members that it was not told of', async () => {
    const etcd = await cluster({ members: 3 });
    const { client } = await clientOf(etcd, { endpoints: etcd.endpoints.slice(0, 1) });
    await put(client, 'a');
    await until(() => client.members.length === 3, WITHIN_MS);
    await etcd.kill(0);
    await until(() => isWritable(client, 'b'), WITHIN_MS);
    expect(indexInUse(etcd, client)).not.toBe(0);
  });

  test('refuses a member of another cluster', async () => {
    const [one, other] = [await cluster(), await cluster()];
    const { client, settings } = await clientOf(one, { endpoints: [...one.endpoints, ...other.endpoints] });
    await put(client, 'a');
    const failures = await Promise.all(
      settings.endpoints.map((endpoint) => client.status(endpoint).catch((error: unknown) => error)),
    );
    const failed = failures.find((failure) => failure instanceof EtcdCallFailed);
    expect(troubleOf(failed as EtcdCallFailed, settings)).toMatchObject({ code: 'STORE_ETCD_OTHER_CLUSTER' });
  });
});

requireComponent('etcd')('ConnectEtcdClient with certificates and passwords', () => {
  test('takes its user from the certificate when etcd knows users', async () => {
    const etcd = await cluster({ members: 3, tls: true, auth: true });
    const { client } = await clientOf(etcd);
    await put(client, 'a');
    expect(await keysOf(client)).toEqual(['a']);
    const stop = AbortSignal.timeout(WITHIN_MS);
    for await (const { created } of client.watch(ALL, stop)) if (created) break;
    const used = indexInUse(etcd, client);
    await etcd.kill(used);
    await until(() => isWritable(client, 'b'), WITHIN_MS);
  });

  test('names file and member when a certificate is not taken', async () => {
    const etcd = await cluster({ tls: true });
    const own = { caFile: etcd.tls?.ca ?? '', certFile: etcd.tls?.cert ?? '', keyFile: etcd.tls?.key ?? '' };
    await mkdir(path.join(etcd.folder, 'foreign'));
    const foreign = await makeCertificates(path.join(etcd.folder, 'foreign'), ['127.0.0.1'], 'stranger');
    const bad: [tls: EtcdSettings['tls'], code: string, hint: RegExp][] = [
      [{ ...own, caFile: foreign.ca }, 'STORE_ETCD_TLS', /foreign\/ca\.pem/],
      [{ ...own, certFile: null, keyFile: null }, 'STORE_ETCD_TLS', /no certificate of its own/],
      [{ ...own, certFile: foreign.cert, keyFile: foreign.key }, 'STORE_ETCD_TLS', /foreign\/client\.pem/],
      [null, 'STORE_ETCD_UNREACHABLE', /https members need etcd\.ca_file/],
    ];
    for (const [tls, code, hint] of bad) {
      const { client, settings } = await clientOf(etcd, { tls });
      const failed = await failureOf(client.status());
      expect(failed.outcome).toBe('none');
      const trouble = troubleOf(failed, settings);
      expect(trouble).toMatchObject({ code, message: expect.stringContaining(etcd.endpoints[0] ?? '') as string });
      expect(trouble?.hint).toMatch(hint);
    }
  });

  test('start() refuses files that cannot be used, and names them', async () => {
    const etcd = await cluster({ tls: true });
    const own = { caFile: etcd.tls?.ca ?? '', certFile: etcd.tls?.cert ?? '', keyFile: etcd.tls?.key ?? '' };
    const noPem = path.join(etcd.folder, 'no.pem');
    const open = path.join(etcd.folder, 'open.key');
    await writeFile(noPem, 'no certificate');
    await copyFile(own.keyFile, open);
    await chmod(open, 0o644);
    const bad: [tls: EtcdSettings['tls'], message: RegExp][] = [
      [{ ...own, caFile: '/nowhere.pem' }, /\/nowhere\.pem: .*no such file/],
      [{ ...own, caFile: noPem }, /no\.pem: it is no PEM file/],
      [{ ...own, keyFile: etcd.tls?.serverKey ?? '' }, /server\.key: it is not the key of .*client\.pem/],
      [{ ...own, keyFile: open }, /open\.key: everyone may read/],
    ];
    for (const [tls, message] of bad) {
      await expect(clientOf(etcd, { tls })).rejects.toMatchObject({
        code: 'STORE_ETCD_FILE',
        message: expect.stringMatching(message) as string,
      });
    }
  });

  test('gets a token for its user, and a new one when that has expired or the member has forgotten it', async () => {
    const etcd = await cluster({ auth: true, flags: ['--auth-token-ttl=1'] });
    const user = { name: ETCD_USERS.drover.name, passwordFile: etcd.passwordFile ?? '' };
    const { client } = await clientOf(etcd, { user });
    await put(client, 'a');
    // An expired token is deleted by etcd once a second; a watch is refused differently from a call.
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await put(client, 'b');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    await until(() => isWatchable(client), WITHIN_MS);
    await etcd.kill(0);
    await etcd.start(0);
    await until(() => isWritable(client, 'c'), WITHIN_MS);
    expect(await keysOf(client)).toEqual(['a', 'b', 'c']);
  });

  test('says who is refused when the password is wrong, none is given or the user may not', async () => {
    const etcd = await cluster({ auth: true });
    const wrong = path.join(etcd.folder, 'wrong');
    await writeFile(wrong, 'mistaken-secret\n', { mode: 0o600 });
    const passwordFile = etcd.passwordFile ?? '';
    await etcd.etcdctl('user', 'add', `nobody:${ETCD_USERS.drover.password}`);
    const bad: [user: EtcdSettings['user'], message: RegExp][] = [
      [{ name: 'drover', passwordFile: wrong }, /user drover .*authentication failed/],
      [{ name: 'unknown', passwordFile }, /user unknown .*authentication failed/],
      [null, /without user and certificate.*user name is empty/],
      [{ name: 'nobody', passwordFile }, /user nobody .*permission denied/],
    ];
    for (const [user, message] of bad) {
      const { client, settings } = await clientOf(etcd, { user });
      const failed = await failureOf(put(client, 'a'));
      expect(failed).toMatchObject({ kind: 'denied', outcome: 'none' });
      expect(JSON.stringify([failed, failed.stack, failed.message])).not.toContain('mistaken-secret');
      expect(troubleOf(failed, settings)).toMatchObject({
        code: 'STORE_ETCD_DENIED',
        message: expect.stringMatching(message) as string,
      });
    }
  });

  test('goes on without a token, and says so, when etcd has no authentication', async () => {
    const etcd = await cluster();
    const passwordFile = path.join(etcd.folder, 'password');
    await writeFile(passwordFile, 'x', { mode: 0o600 });
    const { client, reports } = await clientOf(etcd, { user: { name: 'drover', passwordFile } });
    await put(client, 'a');
    expect(reports).toEqual([expect.stringMatching(/no authentication switched on: user drover is not used/)]);
  });
});

async function isWatchable(client: ConnectEtcdClient): Promise<boolean> {
  try {
    for await (const { created } of client.watch(ALL, AbortSignal.timeout(WITHIN_MS))) if (created) return true;
  } catch {
    // The next attempt has a new token.
  }
  return false;
}
