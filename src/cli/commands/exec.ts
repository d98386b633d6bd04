import type { WireEnvironment } from '../../../client/src/index.ts';
import type { Command, Invocation } from '../command.ts';
import { environmentUpdates } from '../environment-updates.ts';
import { usageError } from '../errors.ts';
import { durationOf } from '../parse-arguments.ts';
import { passSignals } from '../pass-signals.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

const DEFAULT_READY_MS = 30_000;
const POLL_MS = 250;

/** Runs a command in a service's environment (P5, P21). */
export const exec: Command = {
  usage: 'exec <service>',
  summary: 'Run a command in the environment of a service; with --restart again when it changes',
  detail:
    'The service’s variables win over those that are there. Standard input, signals and the exit status are the command’s own;\nit is 126 or 127 when it cannot be run, as in a shell, and 3 while names are required that nobody provides.',
  example: 'drover exec app-www --restart -- node server.js',
  takesProgram: true,
  options: [
    NODE_OPTION,
    { flags: '--restart', text: 'start the command again when its values change' },
    { flags: '--pin', text: 'keep the values of the start for good, which is the default' },
    {
      flags: '--ready [duration]',
      value: 'duration',
      text: 'wait until everything required answers, exit 3 if it does not in time; default 30s',
    },
  ],
  async run(invocation) {
    const { args, rest, client, options, host } = invocation;
    const [service] = args as [string];
    if (rest.length === 0)
      throw usageError.with({ hint: 'drover exec SERVICE -- COMMAND' }, 'there is no command after --');
    const restart = options['restart'] === true;
    if (restart && options['pin'] === true) throw usageError('--restart and --pin exclude each other');
    const first = await firstEnvironment(invocation, service);
    const { runWithEnvironment } = await import('../../environment/index.ts');
    const over = new AbortController();
    const follow = { client, service, node: nodeOf(invocation), first, clock: host.clock, signal: over.signal };
    const running = runWithEnvironment({
      updates: restart ? environmentUpdates(follow) : only(first),
      command: rest,
      restart,
      inherited: host.environment,
      clock: host.clock,
      stdio: 'inherit',
    });
    const release = passSignals(host, (name) => running.kill(name));
    try {
      return (await running.exited).exitCode;
    } finally {
      release();
      over.abort();
    }
  },
};

async function* only<Item>(item: Item): AsyncGenerator<Item, void> {
  yield item;
}

/** The environment once it is whole, waiting as `--ready` says. @throws ENVIRONMENT_UNRESOLVED */
async function firstEnvironment(invocation: Invocation, service: string): Promise<WireEnvironment> {
  const { client, options, host } = invocation;
  const { unresolvedError } = await import('../unresolved.ts');
  const readyMs = durationOf(options['ready'], DEFAULT_READY_MS);
  const endMs = host.clock.now() + (readyMs ?? 0);
  for (;;) {
    const environment = await client.environment(service, { ...nodeOf(invocation), reveal: true });
    const error = unresolvedError(environment, { ready: readyMs !== undefined });
    if (error === null) return environment;
    if (host.clock.now() >= endMs) throw error;
    await host.clock.sleep(POLL_MS);
  }
}
