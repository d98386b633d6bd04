import type { Command } from '../command.ts';

/** Stops the agent for good: its nodes leave, what it started stops. */
export const leave: Command = {
  usage: 'leave',
  summary: 'Stop the agent for good: its nodes leave the region, its balancers stop',
  example: 'drover leave',
  options: [],
  async run({ client, output }) {
    const { nodes } = await client.status();
    await client.request('/v1/agent/leave', { method: 'PUT' });
    output.data({ leaving: nodes }, [`the agent leaves with ${nodes.join(', ')}`]);
    return 0;
  },
};
