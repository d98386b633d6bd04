import { UnreachableError, type WireConverged, type WireTraceConsumer } from '../../client/src/index.ts';
import type { Invocation, OptionSpec } from './command.ts';
import { sayDuration } from '../lib/index.ts';
import { notArrived } from './errors.ts';
import { durationOf } from './parse-arguments.ts';
import { sayConsumer } from './trace-lines.ts';

const DEFAULT_WAIT_MS = 30_000;
/** One question is not left open for longer: what stands between may cut a silent connection. */
const SLICE_MS = 60_000;

/** Options of every command that changes something (semantics 6). */
export const WAIT_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--wait [duration]',
    value: 'duration',
    text: 'end when the change has arrived everywhere, exit 1 if it does not in time; default 30s',
  },
  { flags: '--wait-provisions', text: 'as --wait; provisions that the change causes count too' },
];

/** A change that was made. */
export interface Change {
  readonly revision: number;
  /** For programs; the revision, and with `--wait` the outcome, come with it. */
  readonly value: object;
  /** For people. */
  readonly lines: readonly string[];
}

/**
 * Says what was changed, and with `--wait` waits until it has arrived. Programs get both in one value.
 *
 * @throws CLI_NOT_ARRIVED naming who is late
 */
export async function reportChange(invocation: Invocation, { revision, value, lines }: Change): Promise<number> {
  const { output } = invocation;
  const said = { ...value, revision };
  const waitMs = waitOf(invocation);
  if (waitMs === undefined) {
    output.data(said, lines);
    return 0;
  }
  if (!output.json) output.data(said, lines);
  const found = await waitForArrival(invocation, revision, waitMs);
  if (output.json) output.data({ ...said, ...found }, []);
  if (!found.converged) throw notArrivedBecause(revision, found.pending, waitMs);
  output.say(`r${revision} has arrived everywhere`);
  return 0;
}

function waitOf({ options }: Invocation): number | undefined {
  return (
    durationOf(options['wait'], DEFAULT_WAIT_MS) ?? (options['waitProvisions'] === true ? DEFAULT_WAIT_MS : undefined)
  );
}

/** Asks until it has arrived, it is known that it will not for now, or the time is up. */
async function waitForArrival(
  { client, options, host }: Invocation,
  revision: number,
  waitMs: number,
): Promise<WireConverged> {
  const provisions = options['waitProvisions'] === true;
  const endMs = host.clock.now() + waitMs;
  for (;;) {
    const leftMs = Math.max(0, endMs - host.clock.now());
    const wait = `${Math.ceil(Math.min(leftMs, SLICE_MS))}ms`;
    const found = await client.converged(revision, { wait, provisions }).catch((error: unknown) => {
      throw error instanceof UnreachableError
        ? notArrived(revision, `nobody can say where it arrived: ${error.message}`)
        : error;
    });
    const isOpen = !found.converged && found.pending.every((one) => one.state === 'late');
    if (!isOpen || leftMs <= SLICE_MS) return found;
  }
}

function notArrivedBecause(revision: number, pending: readonly WireTraceConsumer[], waitMs: number): Error {
  const within = pending.every((one) => one.state === 'late') ? ` within ${sayDuration(waitMs)}` : '';
  const text = `it has not arrived everywhere${within}: ${pending.map(sayConsumer).join('; ')}`;
  return notArrived.with({ hint: `drover trace ${revision} follows it` }, revision, text);
}
