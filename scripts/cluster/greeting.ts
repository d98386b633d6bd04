import type { DroverCluster } from '../../test/cluster/drover-cluster.ts';
import { WORDS } from './commands.ts';

/** What there is, and what to try. */
export function greeting(
  { etcd, servers, agents }: DroverCluster,
  { isNetns, programs }: { readonly isNetns: boolean; readonly programs: number },
): string[] {
  const [first, second] = servers;
  const dns = `dig +noedns @${first?.site.address} -p ${first?.dnsPort} web.service.consul`;
  return [
    ...etcd.endpoints.map((endpoint, at) => `  etcd-${at}    ${endpoint}`),
    ...[...servers, ...agents].map(
      ({ name, url, site, dnsPort }) => `  ${name}  ${url}  dns ${site.address}:${dnsPort}`,
    ),
    `${programs} programs are registered as web; parties are ${isNetns ? 'in network namespaces on a bridge' : 'processes of this machine'}`,
    'try in another terminal',
    `  ${dns}`,
    `  curl ${second?.url}/v1/health/service/web?passing`,
    `  bin/drover kv:put greeting hello --wait --http-addr ${first?.url}     then  bin/drover trace --http-addr ${second?.url}`,
    'and here',
    '  kill server-0                 its agents move to another; nothing flaps',
    '  cut server-1 etcd-0           or: cut agent-0, and ask DNS again',
    '  kill etcd-0 · kill etcd-1     reads and DNS go on; writes get "No cluster leader"',
    '  status · heal                 everything is equal again',
    `say ${WORDS}; Ctrl-C ends`,
  ];
}
