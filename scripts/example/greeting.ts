import type { WireService, WireStatus } from '../../client/src/index.ts';

/** What is shown once everything runs: what runs where, and three things to try. */
export function greeting(status: WireStatus, services: readonly WireService[], hasBalancer: boolean): string[] {
  const rows = services.map((service) => [
    service.id,
    String(service.instances),
    service.health,
    [...service.requiredBy, ...(service.public ? ['(public)'] : [])].join(', '),
    service.reachedAt,
  ]);
  const heading = ['service', 'instances', 'health', 'required by', 'reached at'];
  const widths = heading.map((text, column) => Math.max(text.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `  ${cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()}`;
  const curl = hasBalancer
    ? ['  curl 127.0.0.1:1100']
    : ['  (HAProxy is missing: no balancer. Install it with apt-get install haproxy)'];
  return [
    `drover ${status.version} · region ${status.region} · ${status.nodes.length} nodes · ${status.http}`,
    line(heading),
    ...rows.map(line),
    'try',
    '  dig +noedns @127.0.0.1 -p 8600 elasticsearch.service.consul SRV',
    ...curl,
    '  bin/drover datastore:set PRIMARY_DATABASE_URL mysql://user:new@db2/app      (and watch below)',
    'changes',
  ];
}
