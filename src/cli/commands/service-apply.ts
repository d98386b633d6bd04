import { loadDefinitions } from '../../definition/index.ts';
import type { Command } from '../command.ts';
import { waitForArrival, WAIT_OPTIONS } from '../wait.ts';

/** Applies definitions from files: all of them, or none when one is wrong. */
export const serviceApply: Command = {
  usage: 'service:apply <path...>',
  summary: 'Apply definitions from files or directories, all or none',
  example: 'drover service:apply data_bags/service/',
  options: [
    { flags: '--federation <name>', text: 'federation of the definitions that name none; default "default"' },
    { flags: '--dry-run', text: 'check the files, change nothing' },
    ...WAIT_OPTIONS,
  ],
  async run(invocation) {
    const { args, client, options, output } = invocation;
    const loaded = await loadDefinitions(args);
    for (const warning of loaded.warnings) output.say(`warning: ${warning}`);
    const federation = options['federation'];
    const definitions = loaded.definitions.map(({ definition }) =>
      typeof federation === 'string' && definition.federation === 'default'
        ? { ...definition, federation }
        : definition,
    );
    const { revision, body } = await client.applyDefinitions(definitions, { dryRun: options['dryRun'] === true });
    for (const warning of body.warnings) output.say(`warning: ${warning}`);
    for (const note of body.notes) output.say(`note: ${note}`);
    const verb = options['dryRun'] === true ? 'would apply' : 'applied';
    output.data({ revision, ...body }, [`${verb} ${body.applied.join(', ')} at r${revision}`]);
    return options['dryRun'] === true ? 0 : waitForArrival(invocation, revision);
  },
};
