import type { Command } from '../command.ts';
import { table } from '../output.ts';

/** Shows one node: state, what it runs, its services and their health. */
export const nodeShow: Command = {
  usage: 'node:show <name>',
  summary: 'Show a node: state, what it runs, the health of its services',
  example: 'drover node:show staging',
  options: [],
  async run({ args, client, output }) {
    const node = await client.node(args[0] as string);
    const rows = table(
      ['instance', 'service', 'health'],
      node.services.map(({ id, service, health }) => [id, service, health]),
    );
    const state = node.external ? 'has no agent' : `is ${node.status}`;
    output.data(node, [
      `${node.name} (${node.address}) ${state}, federation ${node.federation}`,
      ...(node.evidence === undefined || node.status === 'up' ? [] : [`because ${node.evidence}`]),
      ...Object.entries(node.dead ?? {}).map(([id, finding]) => `${id} is dead: ${finding}`),
      ...(node.answering ?? []).map((id) => `${id} answers all the same`),
      `runs: ${node.runs.join(', ') || 'nothing assigned'}`,
      ...(rows.length === 0 ? [] : ['', ...rows]),
    ]);
    return 0;
  },
};
