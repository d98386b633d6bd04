import { spawn } from 'node:child_process';
import type { StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import { ensureDirectory, lockFileOf } from '../lib/index.ts';
import { provisionLocked } from './errors.ts';
import { PROVISION } from './provision.ts';

/** A provision that a person starts: in the foreground, under the listener's own lock. */
export interface ProvisionByHandOptions {
  readonly stateDirectory: string;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Wait for a provision that runs already, instead of refusing. */
  readonly wait: boolean;
  readonly stdio?: StdioOptions;
}

const LOCKED = 75;

/**
 * Runs a provision command by hand (`drover provision --local`): the listener waits for its end, then does what is left
 * to do. Resolves with the exit status as a shell has it. Throws LISTENER_LOCKED when one runs and `wait` is false.
 */
export async function provisionByHand(options: ProvisionByHandOptions): Promise<number> {
  const { stateDirectory, command, env, cwd, wait, stdio = 'inherit' } = options;
  await ensureDirectory(stateDirectory);
  const lock = lockFileOf(stateDirectory, PROVISION);
  const flags = wait ? ['-o'] : ['-o', '-n', '-E', String(LOCKED)];
  const child = spawn('flock', [...flags, lock, ...command], { env, cwd, stdio });
  const status = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  if (status === LOCKED && !wait) throw provisionLocked(lock);
  return status;
}
