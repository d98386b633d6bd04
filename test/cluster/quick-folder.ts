import { access, constants, mkdtemp, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const MEMORY = '/dev/shm';
/** Each member of etcd takes 64 MB at once for its log. */
const ENOUGH_BYTES = 2 ** 31;

/** A new temporary folder, in memory where there is room: etcd syncs every write, and tests need not wait for a disk. */
export async function quickFolder(prefix: string): Promise<string> {
  return mkdtemp(path.join((await hasRoom()) ? MEMORY : tmpdir(), prefix));
}

async function hasRoom(): Promise<boolean> {
  try {
    await access(MEMORY, constants.W_OK);
    const { bavail, bsize } = await statfs(MEMORY);
    return bavail * bsize > ENOUGH_BYTES;
  } catch {
    return false;
  }
}
