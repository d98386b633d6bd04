import { randomBytes } from 'node:crypto';
import { mkdir, open, readdir, rename, unlink } from 'node:fs/promises';
import path from 'node:path';

/** Who a file belongs to. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export interface AtomicWriteOptions {
  /** Permissions of the file; default 0600. */
  readonly mode?: number;
  readonly owner?: Owner;
  /** Synced to the disk, file and directory, before the call resolves; default true. */
  readonly durable?: boolean;
}

const TEMPORARY = '.drover-tmp';

/**
 * Replaces a file so that a reader sees the old content or the new one, never a mix, also when the process is killed.
 * The temporary file beside it gets its permissions and owner before any content. Rejects with the system's error.
 */
export async function writeAtomically(
  file: string,
  content: string | Uint8Array,
  options: AtomicWriteOptions = {},
): Promise<void> {
  const directory = path.dirname(file);
  const temporary = path.join(directory, `.${path.basename(file)}.${randomBytes(6).toString('hex')}${TEMPORARY}`);
  try {
    await fill(temporary, content, options);
    await rename(temporary, file);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
  if (options.durable !== false) await syncDirectory(directory);
}

async function fill(file: string, content: string | Uint8Array, options: AtomicWriteOptions): Promise<void> {
  const mode = options.mode ?? 0o600;
  const handle = await open(file, 'wx', 0o600);
  try {
    if (options.owner) await handle.chown(options.owner.uid, options.owner.gid);
    // Not left to open(): the umask would take bits away.
    await handle.chmod(mode);
    await handle.writeFile(content);
    if (options.durable !== false) await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes renames and removals in a directory survive a power cut. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Removes what writes that were killed half-way left in a directory; one that does not exist has nothing. */
export async function removeTemporaries(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  const left = names.filter((name) => name.startsWith('.') && name.endsWith(TEMPORARY));
  await Promise.all(left.map((name) => unlink(path.join(directory, name)).catch(() => undefined)));
}

/** Creates a directory and its parents with `mode` (default 0700) where they are absent. */
export async function ensureDirectory(directory: string, mode = 0o700): Promise<void> {
  await mkdir(directory, { recursive: true, mode });
}
