import { readdir, readFile } from 'node:fs/promises';

/** Kills every process whose command names a path of the folder, and waits until none is left. */
export async function endAllWith(folder: string): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const pids = await withCommand(folder);
    if (pids.length === 0) return;
    for (const pid of pids) end(pid);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function withCommand(text: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, at) => commands[at]?.includes(text) === true);
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
