import type { WireEnvironment } from '../../../client/src/index.ts';
import type { Command, Output } from '../command.ts';
import { usageError } from '../errors.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

const FORMATS = ['shell', 'dotenv', 'json'] as const;
type Format = (typeof FORMATS)[number];

/** Prints the environment of a service on a node (P5). */
export const env: Command = {
  usage: 'env <service>',
  summary: 'Print the environment of a service on a node; secrets only with --reveal',
  detail: 'It exits with 3, prints nothing and names them all, when names are required that nobody provides.',
  example: 'drover env app-www --reveal\neval "$(drover env app-www --reveal)"',
  options: [
    NODE_OPTION,
    { flags: '--format <format>', text: 'default shell; --json is --format json', value: FORMATS },
    { flags: '--reveal', text: 'print secrets too' },
    { flags: '--ready', text: 'exit 3 also while something required has no instance that answers' },
  ],
  async run(invocation) {
    const { args, client, options, output } = invocation;
    const format = formatOf(invocation.options['format'] as Format | undefined, output);
    const reveal = options['reveal'] === true;
    const environment = await client.environment(args[0] as string, { ...nodeOf(invocation), reveal });
    const { renderEnvironment } = await import('../../environment/index.ts');
    const { unresolvedError } = await import('../unresolved.ts');
    const error = unresolvedError(environment, { ready: options['ready'] === true });
    if (error !== null) throw error;
    output.raw(renderEnvironment(withHiddenSecrets(environment), format, { reveal }));
    tell(environment, format, output);
    return 0;
  },
};

function formatOf(given: Format | undefined, { json }: Output): Format {
  if (json && given !== undefined && given !== 'json')
    throw usageError(`--json and --format ${given} exclude each other`);
  return json ? 'json' : (given ?? 'shell');
}

/** What the values do not say: which are not current, and in JSON, which are left out. */
function tell({ variables }: WireEnvironment, format: Format, output: Output): void {
  for (const { name, state, from } of variables) {
    if (state === 'waiting') output.say(`${name} is waiting: nothing answers at ${from.join(', ')}`);
    if (state === 'stale')
      output.say(`${name} is stale: the last value is kept, nothing answers at ${from.join(', ')}`);
  }
  const hidden = variables.filter(({ secret, value }) => secret && value === null).map(({ name }) => name);
  if (format === 'json' && hidden.length > 0)
    output.say(`left out as secret, --reveal prints them: ${hidden.join(', ')}`);
}

/** The agent leaves secrets out unless they were asked for; they are printed as there, but hidden. */
function withHiddenSecrets(environment: WireEnvironment): WireEnvironment {
  const variables = environment.variables.map((variable) =>
    variable.secret && variable.value === null ? { ...variable, value: '' } : variable,
  );
  return { ...environment, variables };
}
