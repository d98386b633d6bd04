import { ApiError } from '../../../client/src/index.ts';
import type { Command, Invocation } from '../command.ts';
import { usageError } from '../errors.ts';

/** Makes the first management token; with --reset one more, for whoever may write the server's data directory. */
export const aclBootstrap: Command = {
  usage: 'acl:bootstrap',
  summary: 'Make the first management token',
  detail:
    'Its secret is shown this once. With --reset one more is made: on the machine of the server, as a user who may write its\ndata directory.',
  example: 'drover acl:bootstrap\ndrover acl:bootstrap --reset --data-dir /var/lib/drover',
  options: [
    { flags: '--reset', text: 'also when there was one before' },
    { flags: '--data-dir <directory>', text: 'of the server; default /var/lib/drover' },
  ],
  async run(invocation) {
    const { options, output } = invocation;
    if (options['dataDir'] !== undefined && options['reset'] !== true)
      throw usageError('--data-dir is for --reset: name both');
    const token = await bootstrap(invocation).catch((error: unknown) => {
      if (options['reset'] !== true) throw error;
      return resetAndTry(invocation, error);
    });
    output.data(token, [`AccessorID  ${token.AccessorID}`, `SecretID    ${token.SecretID}`]);
    output.say('keep the secret: it is not shown again');
    return 0;
  },
};

interface Token {
  readonly AccessorID: string;
  readonly SecretID: string;
}

async function bootstrap({ client }: Invocation): Promise<Token> {
  return (await client.request('/v1/acl/bootstrap', { method: 'PUT' })).body as Token;
}

/** The refusal says the index that allows one more. */
async function resetAndTry(invocation: Invocation, refusal: unknown): Promise<Token> {
  const index = refusal instanceof ApiError ? /reset index: (\d+)/.exec(refusal.message)?.[1] : undefined;
  if (index === undefined) throw refusal;
  const { writeResetFile } = await import('../reset-file.ts');
  await writeResetFile((invocation.options['dataDir'] as string | undefined) ?? '/var/lib/drover', index);
  return bootstrap(invocation);
}
