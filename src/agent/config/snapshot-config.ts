import path from 'node:path';
import type { SnapshotConfig } from './config.ts';
import type { ConfigFile } from './read-config.ts';
import type { ConfigInput } from './schema.ts';

const KEEP = 7;

/** When and where snapshots of the store are saved; null when they are not. Pure. */
export function snapshotConfigOf(
  { snapshots }: Partial<ConfigInput>,
  files: readonly ConfigFile[],
  dataDirectory: string,
): SnapshotConfig | null {
  if (snapshots === undefined || snapshots.every === 0) return null;
  const { every, keep = KEEP, directory } = snapshots;
  const from = files.findLast(({ input }) => input.snapshots?.directory !== undefined)?.directory ?? dataDirectory;
  return Object.freeze({ everyMs: every, keep, directory: path.resolve(from, directory ?? 'snapshots') });
}
