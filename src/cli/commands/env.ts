import type { WireEnvironment } from '../../../client/src/index.ts';
import { renderEnvironment, unresolvedOf, type EnvironmentFormat } from '../../environment/index.ts';
import type { Command } from '../command.ts';
import { EXIT } from '../exit.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

const FORMATS: readonly string[] = ['shell', 'dotenv', 'json'];

/** Prints the environment of a service on a node (P5). */
export const env: Command = {
  usage: 'env <service>',
  summary: 'Print the environment of a service on a node; secrets only with --reveal',
  example: 'drover env app-www --reveal\neval "$(drover env app-www --reveal)"',
  options: [
    NODE_OPTION,
    { flags: '--format <format>', text: 'shell, dotenv or json; default shell' },
    { flags: '--reveal', text: 'print secrets too' },
    { flags: '--ready', text: 'exit 3 also while something required has no passing instance' },
  ],
  async run(invocation) {
    const { args, client, options, output } = invocation;
    const format = output.json ? 'json' : typeof options['format'] === 'string' ? options['format'] : 'shell';
    if (!FORMATS.includes(format)) {
      output.say(`error CLI_USAGE: unknown format "${format}": expected ${FORMATS.join(', ')}`);
      return EXIT.invalid;
    }
    const reveal = options['reveal'] === true;
    const environment = await client.environment(args[0] ?? '', { ...nodeOf(invocation), reveal });
    for (const { name, state, from } of environment.variables) {
      if (state === 'waiting' || state === 'stale') output.say(`${name} is ${state}: ${from.join(', ')}`);
    }
    const { missing, waiting } = unresolvedOf(environment, { ready: options['ready'] === true });
    if (missing.length + waiting.length > 0) {
      for (const name of missing) output.say(`error ENVIRONMENT_UNRESOLVED: ${name} is missing: nobody provides it`);
      for (const name of waiting)
        output.say(`error ENVIRONMENT_UNRESOLVED: ${name} waits: it is defined, but nothing answers`);
      output.say('hint: set it with drover datastore:set, or apply a definition that provides it');
      return EXIT.unresolved;
    }
    output.raw(renderEnvironment(withHiddenSecrets(environment), format as EnvironmentFormat, { reveal }));
    return EXIT.done;
  },
};

/** The agent leaves secrets out unless they were asked for; they are printed as there, but hidden. */
function withHiddenSecrets(environment: WireEnvironment): WireEnvironment {
  const variables = environment.variables.map((variable) =>
    variable.secret && variable.value === null ? { ...variable, value: '' } : variable,
  );
  return { ...environment, variables };
}
