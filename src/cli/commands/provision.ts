import type { Command } from '../command.ts';
import { listenerLines } from '../listener-lines.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

const POLL_MS = 200;

/** Provisions a node now; never beside a run that is under way. */
export const provision: Command = {
  usage: 'provision',
  summary: 'Provision a node now; never beside a run that is under way',
  example: 'drover provision --node api-1 --wait',
  options: [NODE_OPTION, { flags: '--wait', text: 'wait for the end; exit 1 when it fails' }],
  async run(invocation) {
    const { client, options, output } = invocation;
    const before = await client.listener(nodeOf(invocation));
    let status = await client.provision(nodeOf(invocation));
    if (options['wait'] !== true) {
      output.data(status, listenerLines(status));
      return 0;
    }
    while (status.running || status.queued || status.runs <= before.runs) {
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      status = await client.listener(nodeOf(invocation));
    }
    output.data(status, listenerLines(status));
    return status.last?.exitCode === 0 ? 0 : 1;
  },
};
