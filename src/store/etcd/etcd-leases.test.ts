import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { type Clock, FakeClock } from '../../lib/index.ts';
import { EtcdCallFailed, type EtcdClient } from './client.ts';
import { EtcdLeases } from './etcd-leases.ts';
import { errorOfCall } from './failure.ts';
import { LeaseGrantResponseSchema } from './generated/rpc_pb.ts';

/** etcd's side of leases, as slow and as broken as a test wants it. */
class LeaseCalls {
  readonly clock = new FakeClock();
  readonly revoked: bigint[] = [];
  granted = 2n;
  tookMs = 0;
  keepAlive: () => number | EtcdCallFailed = () => 2;

  client(): EtcdClient {
    const calls: Partial<EtcdClient> = {
      leaseGrant: async () => {
        if (this.tookMs > 0) await this.clock.sleep(this.tookMs);
        return create(LeaseGrantResponseSchema, { ID: 7n, TTL: this.granted });
      },
      leaseKeepAlive: async () => {
        if (this.tookMs > 0) await this.clock.sleep(this.tookMs);
        const answer = this.keepAlive();
        if (answer instanceof EtcdCallFailed) throw answer;
        return answer;
      },
      leaseRevoke: (id) => {
        this.revoked.push(id);
        return Promise.resolve();
      },
    };
    return calls as EtcdClient;
  }

  leases(): EtcdLeases {
    return new EtcdLeases({ client: this.client(), clock: this.clock, errorOf: (error) => errorOfCall(error, false) });
  }
}

async function isLost({ lost }: { readonly lost: Promise<void> }): Promise<boolean> {
  return Promise.race([lost.then(() => true), Promise.resolve(false).then((no) => no)]);
}

test('EtcdLeases.grant() tells the time that etcd gave, which may be longer', async () => {
  const calls = new LeaseCalls();
  const lease = await grant(calls, calls.leases());
  expect([lease.id, lease.ttlMs]).toEqual(['7', 2_000]);
});

async function grant(calls: LeaseCalls, leases: EtcdLeases): ReturnType<EtcdLeases['grant']> {
  const granting = leases.grant(1_500);
  await calls.clock.advance(calls.tookMs);
  return await granting;
}

test('a lease is lost when its time since the last keepalive was sent has passed, and ended in etcd too', async () => {
  const calls = new LeaseCalls();
  calls.tookMs = 300;
  const lease = await grant(calls, calls.leases());
  await calls.clock.advance(1_000);
  const kept = lease.keepAlive();
  await calls.clock.advance(300);
  await kept;
  await calls.clock.advance(1_699);
  expect(await isLost(lease)).toBe(false);
  await calls.clock.advance(1);
  expect(await isLost(lease)).toBe(true);
  expect(calls.revoked).toEqual([7n]);
  await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
});

test('a lease is lost though the answer to its keepalive says otherwise, when that comes too late', async () => {
  const calls = new LeaseCalls();
  const lease = await grant(calls, calls.leases());
  await calls.clock.advance(1_500);
  calls.tookMs = 600;
  const kept = expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
  await calls.clock.advance(600);
  await kept;
});

test('a lease that etcd does not know is lost at once', async () => {
  const calls = new LeaseCalls();
  for (const answer of [0, -1, new EtcdCallFailed('no-lease', 'not found', { outcome: 'none', endpoint: '' })]) {
    const lease = await grant(calls, calls.leases());
    calls.keepAlive = () => answer;
    await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
    expect(await isLost(lease)).toBe(true);
  }
});

test('a keepalive that fails leaves the lease its time', async () => {
  const calls = new LeaseCalls();
  const leases = calls.leases();
  const lease = await grant(calls, leases);
  calls.keepAlive = () => new EtcdCallFailed('unavailable', 'no leader', { outcome: 'unknown', endpoint: '' });
  await calls.clock.advance(1_000);
  await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_NO_LEADER' });
  expect(() => leases.check([{ type: 'put', key: 'k', value: '', lease }])).not.toThrow();
  await calls.clock.advance(1_000);
  expect(await isLost(lease)).toBe(true);
  expect(() => leases.check([{ type: 'put', key: 'k', value: '', lease }])).toThrow('lease 7 is gone');
});

test('a process that stood still knows its lease to be lost before any timer runs', async () => {
  const calls = new LeaseCalls();
  let nowMs = 0;
  const stopped: Clock = {
    wall: () => 0,
    now: () => nowMs,
    after: () => ({ cancel: () => {} }),
    sleep: () => Promise.resolve(),
  };
  const leases = new EtcdLeases({
    client: calls.client(),
    clock: stopped,
    errorOf: (error) => errorOfCall(error, false),
  });
  const lease = await leases.grant(2_000);
  nowMs = 60_000;
  expect(() => leases.check([{ type: 'put', key: 'k', value: '', lease }])).toThrow('lease 7 is gone');
  await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
});

test('EtcdLeases.close() leaves leases to their time in etcd, and no timer behind', async () => {
  const calls = new LeaseCalls();
  const leases = calls.leases();
  const lease = await grant(calls, leases);
  leases.close();
  expect([calls.clock.pending, calls.revoked]).toEqual([0, []]);
  await expect(lease.keepAlive()).rejects.toMatchObject({ code: 'STORE_LEASE_LOST' });
  await expect(lease.revoke()).rejects.toMatchObject({ code: 'STORE_CLOSED' });
});
