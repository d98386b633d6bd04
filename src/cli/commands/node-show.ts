import type { Command } from '../command.ts';
import { table } from '../output.ts';

/** Shows one node: state, what it runs, its services and their health. */
export const nodeShow: Command = {
  usage: 'node:show <name>',
  summary: 'Show a node: state, what it runs, the health of its services',
  example: 'drover node:show staging',
  options: [],
  async run({ args, client, output }) {
    const node = await client.node(args[0] ?? '');
    const rows = node.services.map((service) => [service.id, service.service, service.health]);
    output.data(node, [
      `${node.name} (${node.address}) is ${node.status}, federation ${node.federation}${node.external ? ', without an agent' : ''}`,
      `runs: ${node.runs.join(', ') || 'nothing assigned'}`,
      '',
      ...table(['instance', 'service', 'health'], rows),
    ]);
    return 0;
  },
};
