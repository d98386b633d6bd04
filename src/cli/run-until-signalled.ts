import type { AgentFlags, StopSignal } from '../agent/index.ts';
import type { Host } from './host.ts';

/** Runs an agent until SIGINT or SIGTERM, or until it left. @throws what `runAgent` throws */
export async function runUntilSignalled(flags: AgentFlags, host: Pick<Host, 'onSignal'>): Promise<void> {
  const abort = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const satisfies readonly StopSignal[]) {
    // The second one ends it at once.
    const off = host.onSignal(name, () => {
      off();
      abort.abort(name);
    });
  }
  const { runAgent } = await import('../agent/index.ts');
  await runAgent(flags, abort.signal);
}
