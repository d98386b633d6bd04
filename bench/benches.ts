/** Every benchmark by its file in this folder, in the order in which they run: short ones first. */
export const BENCHES = [
  'startup',
  'agents',
  'registration',
  'registration-haproxy',
  'balancer',
  'http-health',
  'kv',
  'acl',
  'blocking',
  'events',
  'store',
  'etcd-clients',
  'dns',
  'registry-heap',
  'capacity',
] as const;
