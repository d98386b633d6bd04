import { loadDefinitions, toServiceDocument, type Definition } from '../../definition/index.ts';
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
    const federation = typeof options['federation'] === 'string' ? options['federation'] : undefined;
    const definitions = loaded.definitions.map(({ definition }) => inFederation(definition, federation));
    const { revision, body } = await client.applyDefinitions(definitions, { dryRun: options['dryRun'] === true });
    for (const warning of body.warnings) output.say(`warning: ${warning}`);
    for (const note of body.notes) output.say(`note: ${note}`);
    const verb = options['dryRun'] === true ? 'would apply' : 'applied';
    output.data({ revision, ...body }, [`${verb} ${body.applied.join(', ')} at r${revision}`]);
    return options['dryRun'] === true ? 0 : waitForArrival(invocation, revision);
  },
};

/** The document that goes over the wire; `federation` is for those that name none. */
function inFederation(definition: Definition, federation: string | undefined): object {
  const document = toServiceDocument(definition);
  return federation === undefined || definition.federation !== 'default' ? document : { ...document, federation };
}
