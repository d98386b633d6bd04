import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface RunOptions {
  /** Beside the test's own environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Gives it a home and a temporary directory of its own, which are gone with it. */
  readonly home?: boolean;
  readonly cwd?: string;
  /** All of its standard input; nothing unless told. */
  readonly input?: string;
}

/** How a program ended, and what it said. */
export interface ProgramEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program of the system to its end. */
export async function runProgram(
  program: string,
  words: readonly string[],
  { env = {}, home = false, cwd, input = '' }: RunOptions = {},
): Promise<ProgramEnd> {
  const directory = await mkdtemp(path.join(tmpdir(), 'drover-program-'));
  const own = home ? { HOME: directory, TMPDIR: directory } : {};
  try {
    return await new Promise((resolve, reject) => {
      const child = spawn(program, words, { env: { ...process.env, ...own, ...env }, cwd: cwd ?? directory });
      const said = { stdout: '', stderr: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => (said.stdout += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (said.stderr += text));
      // It may end before it has read all.
      child.stdin.on('error', () => undefined).end(input);
      child.once('error', reject);
      child.once('close', (code) => resolve({ code, ...said }));
    });
  } finally {
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}
