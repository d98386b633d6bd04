import type { Command } from '../command.ts';
import { table } from '../output.ts';

/** Lists services: defined or merely registered. */
export const serviceList: Command = {
  usage: 'service:list',
  summary: 'List services with their instances, health and who requires them',
  example: 'drover service:list',
  options: [],
  async run({ client, output }) {
    const services = await client.services();
    const rows = services.map((service) => [
      service.federation === 'default' ? service.id : `${service.federation}/${service.id}`,
      String(service.instances),
      service.health,
      [...service.requiredBy, ...(service.public ? ['(public)'] : [])].join(', '),
      service.reachedAt,
    ]);
    if (rows.length === 0) output.say('there are no services yet: drover service:apply defines them');
    output.data(services, table(['service', 'instances', 'health', 'required by', 'reached at'], rows));
    return 0;
  },
};
