import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXAMPLE, STAND_INS, STATE, type StandIn } from './layout.ts';
import type { ProcessTable } from './process-table.ts';

const START_MS = 10_000;

/** `api@api-1`. */
export const nameOf = ({ service, node }: StandIn): string => `${service}@${node}`;

/** The programs that stand in for services. */
export class StandIns {
  readonly #table: ProcessTable;
  readonly #running = new Map<string, ChildProcess>();

  constructor(table: ProcessTable) {
    this.#table = table;
  }

  isRunning(standIn: StandIn): boolean {
    return this.#running.has(nameOf(standIn));
  }

  /** Starts a program and waits until it takes connections. */
  async start(standIn: StandIn): Promise<void> {
    const name = nameOf(standIn);
    if (this.#running.has(name)) return;
    await waitForFile(standIn.environment);
    const child = launch(standIn);
    this.#running.set(name, child);
    if (child.pid !== undefined) this.#table.add(child.pid, name);
    child.once('exit', () => {
      this.#running.delete(name);
      if (child.pid !== undefined) this.#table.remove(child.pid);
    });
    await waitForPort(standIn, child);
  }

  /** Ends a program: SIGTERM lets it finish what is in flight, SIGKILL does not. */
  async end(standIn: StandIn, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#running.get(nameOf(standIn));
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill(signal);
    await gone;
  }

  /** Ends all of them, consumers first. */
  async endAll(): Promise<void> {
    for (const standIn of STAND_INS.toReversed()) await this.end(standIn, 'SIGTERM');
  }
}

/** The document's own way: `. FILE && command`, where the program has an environment file. */
function launch({ service, node, host, port, program, environment }: StandIn): ChildProcess {
  mkdirSync(path.join(STATE, 'logs'), { recursive: true });
  const log = openSync(path.join(STATE, 'logs', `${service}-${node}.log`), 'a');
  const command = [process.execPath, path.join(EXAMPLE, 'programs', program), node, host, String(port)];
  const options = { stdio: ['ignore', log, log] as ['ignore', number, number], detached: true, cwd: EXAMPLE };
  if (environment === undefined) return spawn(command[0] as string, command.slice(1), options);
  return spawn('/bin/sh', ['-c', '. "$0" && exec "$@"', environment, ...command], options);
}

async function waitForFile(file: string | undefined): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (file !== undefined && !existsSync(file)) {
    if (Date.now() > deadline) throw new Error(`${file} was not written within ${START_MS / 1_000} s`);
    await sleep(50);
  }
}

async function waitForPort({ service, host, port }: StandIn, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + START_MS;
  while (!(await connects(host, port))) {
    if (child.exitCode !== null) throw new Error(`${service} ended at its start: see ${path.join(STATE, 'logs')}`);
    if (Date.now() > deadline) throw new Error(`${service} does not listen on ${host}:${port}`);
    await sleep(25);
  }
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port });
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
