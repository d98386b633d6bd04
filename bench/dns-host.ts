import { DnsServer, parseDnsOptions } from '../src/dns/index.ts';
import { systemClock } from '../src/lib/index.ts';
import { startTestRegistry } from '../src/registry/testing.ts';
import { benchZone } from './dns-zone.ts';

/** drover's DNS alone in a process, with the zone of the benchmark; says its port when ready. */
const { catalog, feed } = await startTestRegistry({ nodes: benchZone(), clock: systemClock });
const options = parseDnsOptions({ datacenter: 'dc1' });
const dns = await DnsServer.start({ catalog, feed, options, address: '127.0.0.1', port: 0, clock: systemClock });
process.send?.({ port: dns.port });
