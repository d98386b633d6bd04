import { defineError } from '../lib/index.ts';

export const portTaken = defineError(
  'DNS_PORT_TAKEN',
  409,
  (address: string, port: number, protocol: 'UDP' | 'TCP', holder: string) =>
    `cannot answer DNS on ${address} port ${port}: ${protocol} port taken, it is held by ${holder}`,
  { hint: 'stop that program, or choose another port with --dns-port (-1 turns DNS off)' },
);
export const portDenied = defineError(
  'DNS_PORT_DENIED',
  403,
  (address: string, port: number) => `cannot answer DNS on ${address} port ${port}: not permitted`,
  { hint: 'ports below 1024 need root or CAP_NET_BIND_SERVICE; forward the zone from port 53 instead' },
);
export const cannotListen = defineError(
  'DNS_CANNOT_LISTEN',
  500,
  (address: string, port: number, why: string) => `cannot answer DNS on ${address} port ${port}: ${why}`,
  { hint: 'is the address one of this machine?' },
);
export const badOptions = defineError('DNS_BAD_OPTIONS', 400, (why: string) => `the DNS options are not valid: ${why}`);
