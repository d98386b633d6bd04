import { unauthorized } from '../errors.ts';
import type { V1Handler, V1Route } from './exchange.ts';

/** ACLs are off: Consul answers each of these calls with 401, and clients know it by its text (consul-http-api 13). */
export function aclRoutes(): V1Route[] {
  const refuse: V1Handler = () => {
    throw unauthorized('ACL support disabled');
  };
  return [
    { path: 'acl/', methods: { GET: refuse, PUT: refuse, POST: refuse, DELETE: refuse } },
    { path: 'agent/token/', methods: { PUT: refuse } },
  ];
}
