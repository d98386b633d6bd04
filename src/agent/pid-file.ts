import { constants, readFile, rm, writeFile } from 'node:fs/promises';
import { messageOf } from '../lib/index.ts';
import { unwritablePidFile } from './errors.ts';

/** Somebody else's link in a directory that all may write to leads to a file of theirs, or of ours. */
const NEVER_THROUGH_A_LINK = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;

/** A file that holds the process id while the agent runs; what is there before is a dead agent's. */
export class PidFile implements AsyncDisposable {
  readonly #path: string | null;

  private constructor(path: string | null) {
    this.#path = path;
  }

  /** Null writes none. @throws AGENT_PID_FILE */
  static async write(path: string | null): Promise<PidFile> {
    if (path === null) return new PidFile(null);
    try {
      await writeFile(path, String(process.pid), { mode: 0o644, flag: NEVER_THROUGH_A_LINK });
    } catch (error) {
      throw unwritablePidFile.with({ cause: error }, path, messageOf(error));
    }
    return new PidFile(path);
  }

  /** Removes it, unless another agent has taken it over. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#path === null) return;
    const text = await readFile(this.#path, 'utf8').catch(() => '');
    if (text === String(process.pid)) await rm(this.#path, { force: true });
  }
}
