import type { Command } from '../command.ts';
import { table } from '../output.ts';
import { scopeOf, SCOPE_OPTIONS } from '../scope.ts';

/** Shows one service: its definition, its instances, who requires it. */
export const serviceShow: Command = {
  usage: 'service:show <id>',
  summary: 'Show a service: definition, instances, who requires it',
  example: 'drover service:show api',
  options: SCOPE_OPTIONS.slice(0, 1),
  async run(invocation) {
    const { args, client, output } = invocation;
    const service = await client.service(args[0] ?? '', scopeOf(invocation));
    const instances = service.instancesOf.map((one) => [
      `${one.id}@${one.node}`,
      `${one.address}:${one.port}`,
      one.health,
      one.tags.join(','),
    ]);
    output.data(service, [
      `${service.id}: ${service.health}, ${service.instances} instances, reached at ${service.reachedAt}`,
      `required by: ${service.requiredBy.join(', ') || 'nobody'}`,
      ...service.notes.map((note) => `note: ${note}`),
      '',
      ...table(['instance', 'address', 'health', 'tags'], instances),
      ...(service.definition === null ? [] : ['', JSON.stringify(service.definition, null, 2)]),
    ]);
    return 0;
  },
};
