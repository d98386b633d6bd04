import type { ApiContext } from '../context.ts';
import { json, type V1Route } from './exchange.ts';
import { leaderAddress, serversOf } from './server-list.ts';

/** Status (consul-http-api 10): answered before there is a leader, too. */
export function statusRoutes(context: ApiContext): V1Route[] {
  return [
    { path: 'status/leader', methods: { GET: () => json(leaderAddress(context)) } },
    { path: 'status/peers', methods: { GET: () => json(serversOf(context).map(({ address }) => address)) } },
  ];
}
