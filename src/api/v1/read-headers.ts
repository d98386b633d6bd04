import type { StoreStatus } from '../../store/index.ts';

/** What Consul calls the consistency of a read. */
export type Consistency = 'leader' | 'stale' | 'consistent';

/** The headers of every read (consul-http-api 1.2): names and values in turn, in a new list. An index is never 0. */
export function readHeaders(
  { leaderKnown, lastContactMs }: Pick<StoreStatus, 'leaderKnown' | 'lastContactMs'>,
  index: number | string,
  consistency: Consistency,
  defaultPolicy: 'allow' | 'deny' = 'allow',
): string[] {
  return [
    'X-Consul-Index',
    index === 0 ? '1' : String(index),
    'X-Consul-KnownLeader',
    leaderKnown ? 'true' : 'false',
    'X-Consul-LastContact',
    lastContactMs === 0 ? '0' : String(Math.round(lastContactMs)),
    'X-Consul-Effective-Consistency',
    consistency,
    'X-Consul-Query-Backend',
    'blocking-query',
    'X-Consul-Default-ACL-Policy',
    defaultPolicy,
  ];
}
