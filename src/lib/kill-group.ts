import type { Clock } from './clock.ts';

/** How often a group that was told to end is looked at. */
const LOOK_EVERY_MS = 20;

/**
 * Sends a signal to every process of a group; false when there is none left.
 *
 * A group's id is not given to a new process while one member lives, so that this is safe as long as the caller saw the
 * group alive a moment ago.
 */
export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  if (!Number.isInteger(groupId) || groupId <= 1) throw new RangeError(`not the id of a process group: ${groupId}`);
  try {
    process.kill(-groupId, signal);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Ends a process group: TERM, and KILL for what still lives after `killAfterMs`. Resolves when it is empty or killed. */
export async function terminateGroup(groupId: number, options: { clock: Clock; killAfterMs: number }): Promise<void> {
  const { clock, killAfterMs } = options;
  const deadline = clock.now() + killAfterMs;
  if (!signalGroup(groupId, 'SIGTERM')) return;
  // A stopped process takes TERM only once it runs again.
  signalGroup(groupId, 'SIGCONT');
  while (clock.now() < deadline) {
    await clock.sleep(Math.min(LOOK_EVERY_MS, deadline - clock.now()));
    if (!signalGroup(groupId, 0)) return;
  }
  signalGroup(groupId, 'SIGKILL');
}
