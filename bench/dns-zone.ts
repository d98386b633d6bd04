import type { NodeLiteral } from '../src/registry/testing.ts';

const SERVICES = 2_000;
const NODES = 300;
const INSTANCES = 3;

/** Nodes with services of three instances each, on nodes that differ from service to service. */
export function benchZone(): NodeLiteral[] {
  const nodes = Array.from({ length: NODES }, (_, index) => ({
    name: `node-${index}`,
    address: `10.0.${index >> 8}.${index & 255}`,
    services: [] as { service: string; port: number }[],
  }));
  for (let service = 0; service < SERVICES; service++)
    for (let instance = 0; instance < INSTANCES; instance++)
      nodes[(service * 7 + instance * 101) % NODES]?.services.push({
        service: `service-${service}`,
        port: 8_000 + instance,
      });
  return nodes;
}

/** The same records as BIND reads them. */
export function zoneFile(): string {
  const lines = ['$TTL 0', '@ 0 IN SOA ns hostmaster 1 3600 600 86400 0', '@ 0 IN NS ns', 'ns 0 IN A 127.0.0.1'];
  for (const { name, address = '', services = [] } of benchZone()) {
    lines.push(`${name}.node.dc1 0 IN A ${address}`);
    for (const one of services) {
      if (typeof one === 'string') continue;
      lines.push(`${one.service}.service 0 IN A ${address}`);
      lines.push(`${one.service}.service 0 IN SRV 1 1 ${one.port} ${name}.node.dc1`);
    }
  }
  return `${lines.join('\n')}\n`;
}

/** Questions for A and SRV of every service, in an order without pattern, as dnsperf reads them. */
export function questions(): string {
  const lines: string[] = [];
  for (let service = 0; service < SERVICES; service++) {
    const name = `service-${(service * 811) % SERVICES}.service.consul`;
    lines.push(`${name} A`, `${name} SRV`);
  }
  return `${lines.join('\n')}\n`;
}
