import { execFileSync } from 'node:child_process';
import { statfsSync } from 'node:fs';
import os from 'node:os';

/** Where and from what a number comes; without it a number says nothing. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly kernel: string;
  readonly node: string;
  /** The file system of the temporary directory: on tmpfs no write is durable and rates of commits mean nothing. */
  readonly disk: string;
  /** The commit that was measured, with `+` when files differed from it. */
  readonly commit: string;
  /** Load average of the last minute before it began: above 0.5, somebody else was there. */
  readonly loadBefore: number;
}

/** statfs(2) */
const FILE_SYSTEMS: Readonly<Record<number, string>> = {
  0xef53: 'ext4',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x794c7630: 'overlay',
  0x01021994: 'tmpfs',
  0x2fc12fc1: 'zfs',
};

/** This machine, now. */
export function describeMachine(root: string): Machine {
  const { type } = statfsSync(os.tmpdir());
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    kernel: `${os.type()} ${os.release()}`,
    node: process.version,
    disk: FILE_SYSTEMS[type] ?? `0x${type.toString(16)}`,
    commit: commitOf(root),
    loadBefore: Number((os.loadavg()[0] ?? 0).toFixed(2)),
  };
}

function commitOf(root: string): string {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no', '--', 'src', 'bench') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}
