import { ANONYMOUS_SECRET, type AccessControl, type Authority } from '../access/index.ts';
import type { LinkPeer } from './websocket-entrance.ts';

/** What whoever is at the other end may; of no token what nobody may, not what this server's own default token does. @throws ACCESS_UNKNOWN_TOKEN */
export function authorityOf(access: AccessControl, { secret }: LinkPeer): Authority {
  return access.authorityOf(secret === '' ? ANONYMOUS_SECRET : secret);
}
