import { UnreachableError, type WireListener, type WireProvision } from '../../client/src/index.ts';
import { sayDuration } from '../lib/index.ts';
import type { Invocation } from './command.ts';
import { provisionHeld } from './errors.ts';
import { sayHeld } from './listener-lines.ts';
import { nodeOf } from './scope.ts';

const POLL_MS = 200;
/** An agent that is restarted takes up the run that goes on meanwhile. */
const AWAY_MS = 30_000;

/**
 * Queues a provision, waits for its end and gives it. `interrupted`: the user does not want to wait any longer, and was
 * told that the provision goes on.
 *
 * @throws CLI_PROVISION_HELD when it cannot start or the time is up, CLI_UNREACHABLE
 */
export async function awaitProvision(invocation: Invocation, waitMs: number): Promise<WireProvision | 'interrupted'> {
  const { client, host, output } = invocation;
  const stop = new AbortController();
  const offs = (['SIGINT', 'SIGTERM'] as const).map((name) => host.onSignal(name, () => stop.abort()));
  let isQueued = false;
  try {
    const queued = await client.provision(nodeOf(invocation));
    isQueued = true;
    return await follow(invocation, queued, waitMs, stop.signal);
  } catch (error) {
    if (!stop.signal.aborted || !isQueued) throw error;
    output.say('the provision goes on: drover listener:status shows it');
    return 'interrupted';
  } finally {
    for (const off of offs) off();
  }
}

async function follow(
  invocation: Invocation,
  queued: WireListener,
  waitMs: number,
  signal: AbortSignal,
): Promise<WireProvision> {
  const { client, host, output } = invocation;
  const number = queued.runs + (queued.running ? 1 : 0) + (queued.queued ? 1 : 0);
  const endMs = host.clock.now() + waitMs;
  let status = queued;
  let said: string | null = null;
  let awaySinceMs: number | null = null;
  while (status.runs < number) {
    const held = refuseOff(status, host.clock.wall());
    if (held !== null && held !== said) output.say(held);
    said = held;
    if (host.clock.now() >= endMs) throw outOfTime(waitMs);
    await host.clock.sleep(POLL_MS, signal);
    try {
      status = await client.listener(nodeOf(invocation));
      awaySinceMs = null;
    } catch (error) {
      awaySinceMs ??= host.clock.now();
      if (!(error instanceof UnreachableError) || host.clock.now() - awaySinceMs > AWAY_MS) throw error;
    }
  }
  const provisions = await client.provisions(nodeOf(invocation));
  // Newest first; others may have ended after it.
  return provisions[Math.min(status.runs - number, provisions.length - 1)] as WireProvision;
}

/** Why it does not start yet. @throws CLI_PROVISION_HELD when only a person can change that */
function refuseOff(status: WireListener, nowMs: number): string | null {
  if (!status.queued || status.running) return null;
  const held = sayHeld(status, nowMs);
  if (status.held !== 'off') return held;
  throw provisionHeld.with({ hint: 'drover listener:on starts it' }, held as string);
}

function outOfTime(waitMs: number): Error {
  const hint = 'it is not lost: drover listener:status shows it';
  return provisionHeld.with({ hint }, `it has not ended within ${sayDuration(waitMs)}`);
}
