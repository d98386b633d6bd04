import { Resolver } from 'node:dns/promises';
import { afterEach, expect, test } from 'vitest';
import { ALL_ALLOWED } from '../access/index.ts';
import { parseDnsOptions } from '../dns/index.ts';
import { startTestRegistry } from '../registry/testing.ts';
import { DnsServers } from './dns-servers.ts';
import { testLog } from './testing.ts';

let left = new AsyncDisposableStack();
afterEach(async () => {
  const used = left;
  left = new AsyncDisposableStack();
  await used.disposeAsync();
});

async function start(addresses: readonly string[], port = 0): Promise<DnsServers> {
  const nodes = [{ name: 'n1', address: '10.0.0.1' }];
  const { catalog, feed, clock } = left.use(await startTestRegistry({ nodes }));
  const options = parseDnsOptions({ datacenter: 'aws' });
  const shared = { catalog, feed, clock, options, log: testLog(), authority: () => ALL_ALLOWED };
  return left.use(await DnsServers.start({ ...shared, addresses, port }));
}

async function resolve(address: string, port: number, name: string): Promise<string[]> {
  const resolver = new Resolver({ tries: 2, timeout: 2_000 });
  resolver.setServers([`${address}:${port}`]);
  return resolver.resolve4(name);
}

test('DnsServers.start() answers on one port of all addresses, and takes other options on all', async () => {
  const addresses = ['127.0.0.1', '127.61.0.2'];
  const dns = await start(addresses);
  for (const address of addresses) expect(await resolve(address, dns.port, 'n1.node.consul')).toEqual(['10.0.0.1']);
  dns.reconfigure(parseDnsOptions({ datacenter: 'aws', domain: 'corp.example' }));
  for (const address of addresses) {
    expect(await resolve(address, dns.port, 'n1.node.corp.example')).toEqual(['10.0.0.1']);
    await expect(resolve(address, dns.port, 'n1.node.consul')).rejects.toMatchObject({ code: 'EREFUSED' });
  }
});

test('DnsServers.start() leaves none where one cannot listen', async () => {
  const taken = await start(['127.61.0.3']);
  await expect(start(['127.61.0.4', '127.61.0.3'], taken.port)).rejects.toMatchObject({ code: 'DNS_PORT_TAKEN' });
  expect((await start(['127.61.0.4'], taken.port)).port).toBe(taken.port);
});
