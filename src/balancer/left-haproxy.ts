import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../lib/index.ts';
import { openHaproxyFiles } from './haproxy-files.ts';
import { HaproxyProcess } from './haproxy-process.ts';
import { processesOf } from './leftovers.ts';

const STOP_GRACE_MS = 1_000;

/**
 * Ends the HAProxy that an earlier agent left for a node which has no balancer any more: nobody would adopt it, and it
 * would hold its ports and route to its last members for ever. Resolves with whether there was one.
 */
export async function stopLeftHaproxy(stateDirectory: string, clock: Clock): Promise<boolean> {
  const directory = path.join(stateDirectory, 'balancer');
  const found = await stat(directory).catch(() => null);
  if (found?.isDirectory() !== true) return false;
  const files = await openHaproxyFiles(directory);
  if (processesOf(files.configuration).length === 0) return false;
  const haproxy = await HaproxyProcess.open({ files, binary: () => null, clock });
  await haproxy.stop(STOP_GRACE_MS);
  return true;
}
