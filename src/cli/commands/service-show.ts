import type { WireServiceDetail } from '../../../client/src/index.ts';
import type { Command } from '../command.ts';
import { table } from '../output.ts';
import { count } from '../say-time.ts';
import { FEDERATION_OPTION, scopeOf } from '../scope.ts';

/** Shows one service: its definition, its instances, who requires it. */
export const serviceShow: Command = {
  usage: 'service:show <id>',
  summary: 'Show a service: definition, instances, who requires it',
  example: 'drover service:show api',
  options: [FEDERATION_OPTION],
  async run(invocation) {
    const { args, client, output } = invocation;
    const service = await client.service(args[0] as string, scopeOf(invocation));
    output.data(service, serviceLines(service));
    return 0;
  },
};

function serviceLines(service: WireServiceDetail): string[] {
  const instances = service.instancesOf.map(({ id, node, address, port, health, tags }) => [
    `${id}@${node}`,
    `${address}:${port}`,
    health,
    tags.join(','),
  ]);
  const state = service.instances === 0 ? 'no instances' : `${service.health}, ${count(service.instances, 'instance')}`;
  const rows = table(['instance', 'address', 'health', 'tags'], instances);
  return [
    `${service.id}: ${state}, reached at ${service.reachedAt}`,
    `required by: ${service.requiredBy.join(', ') || 'nobody'}`,
    ...(service.definition === null ? ['it is registered, but not defined'] : []),
    ...service.notes.map((note) => `note: ${note}`),
    ...(rows.length === 0 ? [] : ['', ...rows]),
    ...(service.definition === null ? [] : ['', JSON.stringify(service.definition, null, 2)]),
  ];
}
