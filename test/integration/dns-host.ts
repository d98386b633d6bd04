import { DnsServer, parseDnsOptions } from '../../src/dns/index.ts';
import { systemClock } from '../../src/lib/index.ts';
import { startTestRegistry } from '../../src/registry/testing.ts';

/** A DNS server in a process of its own, on the port that it is told: says its port, then the size of its heap whenever it is asked. */
const nodes = Array.from({ length: 50 }, (_, index) => ({
  name: `node-${index}`,
  address: `10.0.0.${index}`,
  meta: { rack: `r${index}` },
  services: [{ service: 'web', port: 80, tags: ['v1'] }, `service-${index}`],
}));
const { catalog, feed } = await startTestRegistry({ nodes, clock: systemClock });
const options = parseDnsOptions({ datacenter: 'aws' });
const errors: string[] = [];
const dns = await DnsServer.start({
  catalog,
  feed,
  options,
  address: '127.0.0.1',
  port: Number(process.argv[2] ?? 0),
  clock: systemClock,
  onError: (error) => errors.push(String(error)),
});
process.on('message', () => {
  globalThis.gc?.();
  process.send?.({ heapOctets: process.memoryUsage().heapUsed, errors });
});
process.send?.({ port: dns.port });
