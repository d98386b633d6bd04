import type { DroverClient, WireEnvironment } from '../../../client/src/index.ts';
import { runWithEnvironment, unresolvedOf } from '../../environment/index.ts';
import { parseDuration, systemClock } from '../../lib/index.ts';
import type { Command, Invocation } from '../command.ts';
import { EXIT } from '../exit.ts';
import { nodeOf, NODE_OPTION } from '../scope.ts';

const DEFAULT_READY = '30s';
const RETRY_MS = 1_000;
const POLL_MS = 250;

/** Runs a command in a service's environment (P5, P21). */
export const exec: Command = {
  usage: 'exec <service> [command...]',
  summary: 'Run a command in the environment of a service; with --restart again when it changes',
  example: 'drover exec app-www --restart -- node server.js',
  passThrough: true,
  handlesSignals: true,
  options: [
    NODE_OPTION,
    { flags: '--restart', text: 'start the command again when its values change' },
    { flags: '--pin', text: 'keep the values of the start for good; this is the default' },
    {
      flags: '--ready [duration]',
      text: `wait until everything required answers; ${DEFAULT_READY} when no duration is given`,
    },
  ],
  async run(invocation) {
    const { args, rest, client, options, output, signal } = invocation;
    const [service = '', ...words] = args;
    const command = [...words, ...rest];
    if (command.length === 0) {
      output.say('error CLI_USAGE: say which command to run: drover exec SERVICE -- COMMAND');
      return EXIT.invalid;
    }
    const first = await firstEnvironment(invocation, service);
    if (first === null) return EXIT.unresolved;
    const restart = options['restart'] === true && options['pin'] !== true;
    const running = runWithEnvironment({
      updates: updates(client, service, nodeOf(invocation), first, restart, signal),
      command,
      restart,
      inherited: process.env,
      clock: systemClock,
      stdio: 'inherit',
      signal,
    });
    process.on('SIGHUP', () => running.kill('SIGHUP'));
    return (await running.exited).exitCode;
  },
};

/** The environment once it is whole, waiting as `--ready` says; null after saying what is missing. */
async function firstEnvironment(invocation: Invocation, service: string): Promise<WireEnvironment | null> {
  const { client, options, output } = invocation;
  const ready = options['ready'] !== undefined;
  const limitMs = ready ? parseDuration(typeof options['ready'] === 'string' ? options['ready'] : DEFAULT_READY) : 0;
  const deadline = systemClock.now() + limitMs;
  for (;;) {
    const environment = await client.environment(service, { ...nodeOf(invocation), reveal: true });
    const { missing, waiting } = unresolvedOf(environment, { ready });
    if (missing.length + waiting.length === 0) return environment;
    if (systemClock.now() >= deadline) {
      output.say(
        `error ENVIRONMENT_UNRESOLVED: ${[...missing, ...waiting].join(', ')} cannot be resolved for ${service}`,
      );
      return null;
    }
    await systemClock.sleep(POLL_MS);
  }
}

/** The environment now and after each change; goes on asking while no agent answers. */
async function* updates(
  client: DroverClient,
  service: string,
  node: { node?: string },
  first: WireEnvironment,
  follow: boolean,
  signal: AbortSignal,
): AsyncIterable<WireEnvironment> {
  yield first;
  while (follow && !signal.aborted) {
    try {
      for await (const event of client.events({ after: first.revision }, signal)) {
        if (event.type === 'change') yield await client.environment(service, { ...node, reveal: true });
      }
    } catch {
      // The agent is away: what runs goes on, and the next answer tells what changed meanwhile.
    }
    await systemClock.sleep(RETRY_MS, signal).catch(() => undefined);
    if (!signal.aborted) yield await client.environment(service, { ...node, reveal: true }).catch(() => first);
  }
}
