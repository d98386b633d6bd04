/** HAProxy's processes as its master tells them. */
export interface HaproxyProcesses {
  readonly master: number;
  /** Reloads that failed since the last one that did not. */
  readonly failedReloads: number;
  readonly workers: readonly number[];
  /** Left by reloads, ending their sessions. */
  readonly oldWorkers: readonly number[];
}

/** Reads the answer to the master's `show proc`; null when the text is no such answer. */
export function parseShowProc(text: string): HaproxyProcesses | null {
  const master = /^(\d+)\s+master\s+\d+(?: \[failed: (\d+)\])?/m.exec(text);
  if (master === null) return null;
  const [current = '', old = ''] = text.split('# old workers');
  return {
    master: Number(master[1]),
    failedReloads: Number(master[2] ?? 0),
    workers: workersIn(current),
    oldWorkers: workersIn(old),
  };
}

function workersIn(text: string): number[] {
  return [...text.matchAll(/^(\d+)\s+worker\s/gm)].map((match) => Number(match[1]));
}
