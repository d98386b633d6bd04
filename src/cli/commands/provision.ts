import type { WireProvision } from '../../../client/src/index.ts';
import { sayDuration } from '../../lib/index.ts';
import type { Command } from '../command.ts';
import { provisionFailed } from '../errors.ts';
import { listenerLines } from '../listener-lines.ts';
import { awaitProvision } from '../await-provision.ts';
import { durationOf } from '../parse-arguments.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

/** Provisions a node now; never beside a run that is under way. */
export const provision: Command = {
  usage: 'provision',
  summary: 'Provision a node now and show how it went; never beside a run that is under way',
  detail: 'It waits for the end. Ctrl-C ends the waiting, not the provision, which is the agent’s.',
  example: 'drover provision --node api-1',
  options: [
    NODE_OPTION,
    {
      flags: '--wait [duration]',
      text: 'wait no longer than that, then exit 1; default: until its end',
      value: 'duration',
    },
    { flags: '--no-wait', text: 'only queue it' },
  ],
  async run(invocation) {
    const { client, host, options, output } = invocation;
    if (options['wait'] === false) {
      const queued = await client.provision(nodeOf(invocation));
      output.data(queued, listenerLines(queued, host.clock.wall()));
      return 0;
    }
    const waitMs = durationOf(options['wait'], Number.POSITIVE_INFINITY) ?? Number.POSITIVE_INFINITY;
    const found = await awaitProvision(invocation, waitMs);
    if (found === 'interrupted') return 130;
    output.data(found, [line(found)]);
    if (found.succeeded) return 0;
    throw provisionFailed.with({ hint: `what it printed: ${found.logFile}` }, found.result);
  },
};

function line({ succeeded, result, startedAt, endedAt, revision, causes }: WireProvision): string {
  const took = sayDuration(Math.max(0, Date.parse(endedAt) - Date.parse(startedAt)));
  const how = succeeded ? 'succeeded' : `failed (${result})`;
  return `the provision ${how} after ${took}, at r${revision}, because of ${causes.join(', ')}`;
}
