import { once } from 'node:events';
import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { claimEndpoints, claimPorts } from './claims.ts';
import { PortGuard } from './port-guard.ts';
import { testFrontend, testMember } from './testing.ts';

async function listen(host: string): Promise<{ server: net.Server; port: number } & AsyncDisposable> {
  const server = net.createServer().listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  return { server, port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

async function freePort(): Promise<number> {
  await using taken = await listen('127.0.0.1');
  return taken.port;
}

const guard = (node: string): PortGuard => new PortGuard({ owner: `node ${node}` });

describe('PortGuard', () => {
  it('claim() takes a free port, again and again, and leaves it free to be bound', async () => {
    const port = await freePort();
    await using ours = guard('a');
    expect(await ours.claim('127.0.0.1', port, false)).toBeNull();
    expect(await ours.claim('127.0.0.1', port, false)).toBeNull();
    await using server = net.createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
  });

  it('claim() names a stranger, also one on all addresses', async () => {
    for (const host of ['127.0.0.1', '0.0.0.0']) {
      await using stranger = await listen(host);
      await using ours = guard('a');
      const reason = await ours.claim('127.0.0.1', stranger.port, false);
      expect(reason).toMatch(
        new RegExp(`^port 127\\.0\\.0\\.1:${stranger.port} is taken by .*\\(pid ${process.pid}\\)$`),
      );
    }
  });

  it('claim() does not probe what our own HAProxy has bound', async () => {
    await using bound = await listen('127.0.0.1');
    await using ours = guard('a');
    expect(await ours.claim('127.0.0.1', bound.port, true)).toBeNull();
  });

  it('claim() keeps two drovers apart and names the other, until it gives the port up', async () => {
    const port = await freePort();
    await using ours = guard('a');
    const theirs = guard('b');
    expect(await theirs.claim('127.0.0.1', port, false)).toBeNull();
    expect(await ours.claim('127.0.0.1', port, false)).toContain(`another drover, node b, pid ${process.pid}`);
    expect(await ours.claim('127.0.0.2', port, false)).toBeNull();
    await theirs[Symbol.asyncDispose]();
    expect(await ours.claim('127.0.0.1', port, false)).toBeNull();
  });

  it('keepOnly() gives up the others', async () => {
    const port = await freePort();
    await using ours = guard('a');
    await using theirs = guard('b');
    await ours.claim('127.0.0.1', port, false);
    await ours.keepOnly(new Set([`127.0.0.1:${port}`]));
    expect(await theirs.claim('127.0.0.1', port, false)).not.toBeNull();
    await ours.keepOnly(new Set());
    expect(await theirs.claim('127.0.0.1', port, false)).toBeNull();
  });

  it('claim() says that an address is not of this machine', async () => {
    await using ours = guard('a');
    expect(await ours.claim('192.0.2.1', 1100, false)).toBe(
      'port 192.0.2.1:1100: this machine has no address 192.0.2.1',
    );
  });
});

describe('claimPorts()', () => {
  it('lets one frontend that cannot be had cost no other', async () => {
    await using stranger = await listen('127.0.0.1');
    await using ours = guard('a');
    const port = await freePort();
    const frontends = [
      testFrontend([], { service: 'held', port: stranger.port }),
      testFrontend([testMember('n/x', { address: 'name.example' })], { service: 'good', port }),
      testFrontend([], { service: 'twin', port }),
    ];
    const claims = await claimPorts(ours, { address: '127.0.0.1', frontends, skipped: [] }, new Set());
    expect(claims.usable.map((frontend) => frontend.service)).toEqual(['good']);
    expect([...claims.refused.keys()]).toEqual(['held', 'twin']);
    expect(claims.refused.get('twin')).toBe(`port 127.0.0.1:${port} is already that of service good`);
    expect(claims.complaints).toEqual(['good: n/x has no usable address: name.example:80']);
  });
});

describe('claimEndpoints()', () => {
  it('takes all or says no', async () => {
    await using stranger = await listen('127.0.0.1');
    await using ours = guard('a');
    const port = await freePort();
    expect(await claimEndpoints(ours, [`127.0.0.1:${port}`, `127.0.0.2:${port}`])).toBe(true);
    expect(await claimEndpoints(ours, [`127.0.0.1:${stranger.port}`])).toBe(false);
  });
});
