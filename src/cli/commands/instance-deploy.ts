import { randomUUID } from 'node:crypto';
import type { WireDeployment, WireNode } from '../../../client/src/index.ts';
import type { Command, Invocation } from '../command.ts';
import { deployNodes } from '../deploy/deploy-nodes.ts';
import { isStopped, namesOf, newDeployment, resumed, shareOf } from '../deploy/plan.ts';
import { deploymentStopped, nothingToDeploy, usageError } from '../errors.ts';
import { durationOf } from '../parse-arguments.ts';

const AT_ONCE = '1';
const FAILURES = '10%';
const LIMIT_MS = 3_600_000;

/** Provisions the nodes of a group: one first, then so many at once. */
export const instanceDeploy: Command = {
  usage: 'instance:deploy [group]',
  summary: 'Provision the nodes of a group: one first, then so many at once, until too many fail',
  detail:
    'The group is that of `provision.group`; without one it is every node with a provision command. Ctrl-C ends the ordering, not the provisions that run; --resume goes on.',
  example: 'drover instance:deploy web -n 5',
  options: [
    { flags: '-n <number>', text: 'so many at once, or a part such as 10%; default 1' },
    {
      flags: '--max-failures <number>',
      text: 'more than so many, or a part such as 10%, end it; default 10%, 1 at least',
    },
    { flags: '--limit <duration>', text: 'how long one node may take; default 1h', value: 'duration' },
    { flags: '--resume <id>', text: 'go on with a deployment that ended before everybody was done' },
  ],
  async run(invocation) {
    const { client, host, options, output } = invocation;
    const { id, state } = await begin(invocation);
    output.say(`deployment ${id}: ${Object.keys(state.nodes).length} nodes, ${state.atOnce} at once`);
    const stop = new AbortController();
    const offs = (['SIGINT', 'SIGTERM'] as const).map((name) => host.onSignal(name, () => stop.abort()));
    try {
      const limitMs = durationOf(options['limit'], LIMIT_MS) ?? LIMIT_MS;
      const attempt = `${id}.${randomUUID().slice(0, 4)}`;
      const say = (text: string): void => output.say(text);
      const end = await deployNodes(state, {
        id: attempt,
        client,
        clock: host.clock,
        limitMs,
        say,
        signal: stop.signal,
      });
      return conclude(id, end, invocation);
    } catch (error) {
      if (!stop.signal.aborted) throw error;
      output.say(`what runs goes on; drover instance:deploy --resume ${id} does the rest`);
      return 130;
    } finally {
      for (const off of offs) off();
    }
  },
};

async function begin({ args, client, options }: Invocation): Promise<{ id: string; state: WireDeployment }> {
  const group = args[0] ?? null;
  const resume = options['resume'] as string | undefined;
  if (resume !== undefined) return { id: resume, state: resumed(await client.deployment(resume)) };
  const names = membersOf(await client.nodes(), group);
  if (names.length === 0) throw nothingToDeploy(group ?? 'the region');
  const atOnce = shareOf((options['n'] as string | undefined) ?? AT_ONCE, names.length);
  const mostFailures = shareOf((options['maxFailures'] as string | undefined) ?? FAILURES, names.length);
  if (atOnce === null || atOnce < 1) throw usageError('-n takes a number such as 5, or a part such as 10%');
  if (mostFailures === null) throw usageError('--max-failures takes a number such as 1, or a part such as 10%');
  return { id: randomUUID().slice(0, 8), state: newDeployment(group, names, { atOnce, mostFailures }) };
}

function membersOf(nodes: readonly WireNode[], group: string | null): string[] {
  const members = nodes.filter(({ consumers, external, provisionGroup, status }) => {
    if (external || status === 'left' || !consumers.includes('listener')) return false;
    return group === null || provisionGroup === group;
  });
  return members.map(({ name }) => name);
}

function conclude(id: string, end: WireDeployment, { output }: Invocation): number {
  const of = (state: WireDeployment['nodes'][string]): string[] => namesOf(end.nodes, state);
  const lines = Object.entries(end.nodes).map(([name, state]) => `${name}  ${state}`);
  output.data({ id, ...end }, [`${of('done').length} of ${lines.length} nodes are done`, ...lines]);
  if (of('failed').length === 0) return 0;
  const what = isStopped(end) ? `stopped: ${of('waiting').length} nodes were left alone` : 'not everybody is done';
  throw deploymentStopped.with({ hint: `drover instance:deploy --resume ${id} does the rest` }, what, of('failed'));
}
