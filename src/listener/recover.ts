import { findRun, lockFileOf, lockHolder } from '../lib/index.ts';
import type { Clock, ShimRun } from '../lib/index.ts';
import { PROVISION } from './provision.ts';

const POLL_MS = 100;
/** A shim that was spawned just before its agent was killed has taken the lock by then. */
const SPAWN_MS = 1_000;

/**
 * The run that an agent before this one had started under this id, alive or ended; null when it never came to that. The
 * agent may have been killed between writing the run down and the shim's first record: while somebody holds the lock and
 * for a moment without it, the record is waited for.
 */
export async function recoverRun(stateDirectory: string, id: string, clock: Clock): Promise<ShimRun | null> {
  const until = clock.now() + SPAWN_MS;
  const lock = lockFileOf(stateDirectory, PROVISION);
  for (;;) {
    const locked = (await lockHolder(lock)) !== null;
    // After the lock was seen free: a run that ended in between has left its record.
    const run = await findRun(stateDirectory, PROVISION, clock);
    if (run?.id === id) return run;
    if (!locked && clock.now() >= until) return null;
    await new Promise<void>((resolve) => void clock.after(POLL_MS, resolve));
  }
}
