import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';

/** Who holds a lock; pid 0 when the kernel does not say. */
export interface LockHolder {
  readonly pid: number;
}

/**
 * Who holds a flock(2) lock on a file; null when nobody does or the file does not exist. It reads the kernel's table of
 * locks and touches the lock itself only when the table is not there or does not identify the file (overlay, btrfs).
 */
export async function lockHolder(file: string): Promise<LockHolder | null> {
  const found = await stat(file).catch(() => null);
  if (found === null) return null;
  const table = lockTable();
  if (table === null) return (await canLock(file)) ? null : { pid: 0 };
  const sameInode = table.filter((lock) => lock.inode === found.ino);
  const holder = sameInode.find((lock) => lock.device === found.dev);
  if (holder) return { pid: holder.pid };
  if (sameInode.length === 0 || (await canLock(file))) return null;
  return { pid: sameInode[0]?.pid ?? 0 };
}

interface HeldLock {
  readonly pid: number;
  readonly device: number;
  readonly inode: number;
}

/** The FLOCK rows of /proc/locks, such as `1: FLOCK  ADVISORY  WRITE 708 fe:00:9978130 0 EOF`; null when unreadable. */
function lockTable(): readonly HeldLock[] | null {
  let text: string;
  try {
    text = readFileSync('/proc/locks', 'utf8');
  } catch {
    return null;
  }
  // Rows with `->` only wait for the lock.
  const rows = text.matchAll(/^\d+: FLOCK +\S+ +\S+ +(-?\d+) ([0-9a-f]+):([0-9a-f]+):(\d+) /gm);
  return [...rows].map(([, pid, major = '', minor = '', inode]) => ({
    pid: Math.max(0, Number(pid)),
    device: makedev(Number.parseInt(major, 16), Number.parseInt(minor, 16)),
    inode: Number(inode),
  }));
}

/** glibc's makedev(3), which is what stat(2) reports. */
function makedev(major: number, minor: number): number {
  return (minor & 0xff) + (major & 0xfff) * 0x100 + (minor >>> 8) * 0x100000;
}

function canLock(file: string): Promise<boolean> {
  return new Promise((resolve) => execFile('flock', ['-n', file, 'true'], (error) => resolve(error === null)));
}
