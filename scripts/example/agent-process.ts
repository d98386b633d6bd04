import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DroverClient } from '../../client/src/index.ts';
import { EXAMPLE, ROOT, STATE } from './layout.ts';
import type { ProcessTable } from './process-table.ts';

const READY_MS = 20_000;

/** The agent of the example, as a process of its own: killing it is something to try. */
export class AgentProcess {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** Starts the agent and waits until it answers. */
  static async start(client: DroverClient, table: ProcessTable): Promise<AgentProcess> {
    mkdirSync(path.join(STATE, 'logs'), { recursive: true });
    const log = path.join(STATE, 'logs', 'agent.log');
    const child = spawn(path.join(ROOT, 'bin/drover'), ['agent', '--config-file', path.join(EXAMPLE, 'agent.json5')], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    const file = createWriteStream(log, { flags: 'a' });
    let tail = '';
    child.stdout.pipe(file, { end: false });
    child.stderr.pipe(file, { end: false });
    child.stderr.on('data', (chunk: Buffer) => (tail = (tail + String(chunk)).slice(-4_000)));
    if (child.pid !== undefined) table.add(child.pid, 'agent');
    const deadline = Date.now() + READY_MS;
    while (
      !(await client.status().then(
        (status) => status.ready,
        () => false,
      ))
    ) {
      if (child.exitCode !== null) throw new Error(`the agent ended at its start:\n${tail}`);
      if (Date.now() > deadline) throw new Error(`the agent is not ready after ${READY_MS / 1_000} s; see ${log}`);
      await sleep(20);
    }
    return new AgentProcess(child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Resolves when the agent ended, by itself or not. */
  get ended(): Promise<unknown> {
    return this.#child.exitCode === null && this.#child.signalCode === null
      ? once(this.#child, 'exit')
      : Promise.resolve();
  }

  async stop(): Promise<void> {
    const { ended } = this;
    this.#child.kill('SIGTERM');
    await ended;
  }
}
