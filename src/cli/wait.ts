import type { WireTraceConsumer } from '../../client/src/index.ts';
import type { Invocation, OptionSpec } from './command.ts';
import { EXIT } from './exit.ts';

const DEFAULT_WAIT = '30s';

/** Options of every command that changes something (semantics 6). */
export const WAIT_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--wait [duration]',
    text: `wait until the change has arrived everywhere; ${DEFAULT_WAIT} when no duration is given`,
  },
  { flags: '--wait-provisions', text: 'with --wait: provisions that the change causes count too' },
];

/** Waits as `--wait` says and names who is late; without it the change simply stands. Gives the exit status. */
export async function waitForArrival({ client, options, output }: Invocation, revision: number): Promise<number> {
  if (options['wait'] === undefined && options['waitProvisions'] !== true) return EXIT.done;
  const wait = typeof options['wait'] === 'string' ? options['wait'] : DEFAULT_WAIT;
  const { converged, pending } = await client.converged(revision, {
    wait,
    provisions: options['waitProvisions'] === true,
  });
  if (converged) {
    output.say(`r${revision} has arrived everywhere`);
    return EXIT.done;
  }
  output.say(`r${revision} stands, but has not arrived everywhere:`);
  for (const consumer of pending) output.say(`  ${sayConsumer(consumer)}`);
  output.say(`hint: drover trace ${revision}`);
  return EXIT.failed;
}

/** `balancer@staging late`, with the reason and the next try as far as known. */
export function sayConsumer(consumer: WireTraceConsumer): string {
  const reason = consumer.reason === undefined ? '' : `: ${consumer.reason}`;
  const retry = consumer.retryAt === undefined ? '' : ` (next try ${consumer.retryAt})`;
  return `${consumer.kind}@${consumer.node} ${consumer.state}${reason}${retry}`;
}
