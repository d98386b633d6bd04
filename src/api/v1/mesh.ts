import type { ApiContext } from '../context.ts';
import { badRequest } from '../errors.ts';
import { answerRead } from './blocking.ts';
import type { V1Handler, V1Route } from './exchange.ts';

/** Consul's service mesh is left out: nobody provides it, and lists of it are empty. */
export function meshRoutes(context: ApiContext): V1Route[] {
  const none = (missing: string): V1Handler => {
    return (request) => {
      if (request.argument === '') throw badRequest(missing);
      return answerRead(context, request, { key: 'mesh []', topics: [], render: () => '[]' });
    };
  };
  const roots: V1Handler = (request) =>
    answerRead(context, request, {
      key: 'mesh roots',
      topics: [],
      render: () => JSON.stringify({ ActiveRootID: '', TrustDomain: '', Roots: [] }),
    });
  return [
    { path: 'catalog/connect/', methods: { GET: none('Missing service name') } },
    { path: 'catalog/gateway-services/', methods: { GET: none('Missing gateway name') } },
    { path: 'health/connect/', methods: { GET: none('Missing service name') } },
    { path: 'health/ingress/', methods: { GET: none('Missing service name') } },
    { path: 'connect/ca/roots', methods: { GET: roots } },
    { path: 'agent/connect/ca/roots', methods: { GET: roots } },
  ];
}
