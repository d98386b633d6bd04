import type { Command } from '../command.ts';
import { table } from '../output.ts';

/** Lists the region's nodes. */
export const nodeList: Command = {
  usage: 'node:list',
  summary: 'List nodes with their state and services',
  example: 'drover node:list',
  options: [],
  async run({ client, output }) {
    const nodes = await client.nodes();
    const rows = nodes.map((node) => [
      node.name,
      node.address,
      node.federation,
      node.external ? 'no agent' : node.status,
      node.services.map((service) => service.id).join(', '),
    ]);
    output.data(nodes, table(['node', 'address', 'federation', 'status', 'services'], rows));
    return 0;
  },
};
