import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { PidFile } from './pid-file.ts';

async function inDirectory(task: (directory: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(path.join(os.tmpdir(), 'drover-pid-'));
  try {
    await task(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('PidFile holds the process id, over that of a dead agent, and goes with it', () =>
  inDirectory(async (directory) => {
    const file = path.join(directory, 'pid');
    await writeFile(file, '12345678');
    await using pidFile = await PidFile.write(file);
    expect(await readFile(file, 'utf8')).toBe(String(process.pid));
    await pidFile[Symbol.asyncDispose]();
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  }));

test('PidFile writes through no link', () =>
  inDirectory(async (directory) => {
    const target = path.join(directory, 'precious');
    const file = path.join(directory, 'pid');
    await writeFile(target, 'kept');
    await symlink(target, file);
    await expect(PidFile.write(file)).rejects.toMatchObject({ code: 'AGENT_PID_FILE' });
    expect(await readFile(target, 'utf8')).toBe('kept');
  }));
