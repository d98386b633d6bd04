import type { Definition } from '../../definition/index.ts';
import { reportChange, WAIT_OPTIONS } from '../change-report.ts';
import type { Command, Output } from '../command.ts';
import { FEDERATION_OPTION, textOption } from '../scope.ts';

/** Applies definitions from files: all of them, or none when one is wrong. */
export const serviceApply: Command = {
  usage: 'service:apply <path...>',
  summary: 'Apply definitions from files or directories, all or none',
  detail:
    'Files are JSON, JSON5 or YAML; of a directory every such file is read, but not those in directories below it.',
  example: 'drover service:apply data_bags/service/ --wait',
  options: [
    { ...FEDERATION_OPTION, text: 'federation of the definitions that name none; default "default"' },
    { flags: '--dry-run', text: 'check the files, change nothing' },
    ...WAIT_OPTIONS,
  ],
  async run(invocation) {
    const { args, client, options, output } = invocation;
    const { loadDefinitions, toServiceDocument } = await import('../../definition/index.ts');
    const dryRun = options['dryRun'] === true;
    const { federation } = textOption('federation', options);
    const loaded = await loadDefinitions(args);
    const documents = loaded.definitions.map(({ definition }) =>
      inFederation(definition, toServiceDocument(definition), federation),
    );
    const { revision, body } = await client.applyDefinitions(documents, { dryRun });
    // The agent warns of what it was sent: what is wrong with files themselves is known here alone.
    const warnings = [...new Set([...loaded.warnings, ...body.warnings])];
    sayAll(output, warnings, body.notes);
    const value = { applied: body.applied, warnings, notes: body.notes, dryRun };
    const names = body.applied.join(', ');
    if (!dryRun) return reportChange(invocation, { revision, value, lines: [`applied ${names} at r${revision}`] });
    output.data(value, [`would apply ${names}; nothing is changed`]);
    return 0;
  },
};

/** Programs find them in the data. */
function sayAll(output: Output, warnings: readonly string[], notes: readonly string[]): void {
  if (output.json) return;
  for (const warning of warnings) output.say(`warning: ${warning}`);
  for (const note of notes) output.say(`note: ${note}`);
}

/** The document that goes over the wire; `federation` is for those that name none. */
function inFederation(definition: Definition, document: object, federation: string | undefined): object {
  return federation === undefined || definition.federation !== 'default' ? document : { ...document, federation };
}
