import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';

const CHILD = path.join(import.meta.dirname, 'store-child.ts');
const FLAGS = ['--disable-warning=ExperimentalWarning', CHILD];

/** Folders and child processes of the store's tests, gone after each of them. */
export function storeFixture(): {
  directory(): string;
  command(mode: string, directory: string, run?: string): string[];
  start(mode: string, directory: string, run?: string): ChildProcess;
} {
  const folders: string[] = [];
  const children: ChildProcess[] = [];
  const command = (mode: string, directory: string, run = ''): string[] => [...FLAGS, mode, directory, run];
  afterEach(async () => {
    for (const child of children.splice(0)) await kill(child);
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
  });
  return {
    directory() {
      const folder = mkdtempSync(path.join(os.tmpdir(), 'drover-store-'));
      folders.push(folder);
      return path.join(folder, 'data');
    },
    command,
    start(mode, directory, run) {
      const child = spawn(process.execPath, command(mode, directory, run), { stdio: ['ignore', 'pipe', 'inherit'] });
      children.push(child);
      return child;
    },
  };
}

/** Ends a child by SIGKILL and waits until its output is complete. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await closed;
}

/** A repeatable sequence of numbers from 0 up to 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
