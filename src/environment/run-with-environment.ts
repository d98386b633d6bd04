import { spawn } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { constants } from 'node:os';
import type { Clock, Timer } from '../lib/index.ts';
import type { ServiceEnvironment } from '../registry/index.ts';
import { processEnvironment } from './render.ts';
import { isWhole } from './resolved.ts';

export interface RunWithEnvironmentOptions {
  /** The service's environment now, and again whenever it may have changed. The command starts with the first whole one. */
  readonly updates: AsyncIterable<ServiceEnvironment>;
  readonly command: readonly string[];
  /** Start the command again when its values change; false keeps the first for good (`--pin`). */
  readonly restart: boolean;
  /** What the command gets beside the service's variables, which win. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** From SIGTERM to SIGKILL at a restart or an abort; default 10,000 ms. */
  readonly killAfterMs?: number;
  readonly cwd?: string;
  readonly stdio?: StdioOptions;
  /** Ends the command (SIGTERM, then SIGKILL); `exited` then tells how. */
  readonly signal?: AbortSignal;
  /** Called with the new process at each start: the consumer `process` and messages hang on it. */
  readonly onStart?: (pid: number) => void;
}

/** How the command ended; `exitCode` as a shell would have it: 128 + the signal's number, 126 or 127 when it never ran. */
export interface CommandExit {
  readonly exitCode: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A command that runs in a service's environment (P5, P21). */
export interface RunningCommand {
  /** Resolves when the command ended of its own accord or by a signal; rejects when it never had a whole environment. */
  readonly exited: Promise<CommandExit>;
  /** Passes a signal on, as `drover exec` does with those it gets. */
  kill(signal: NodeJS.Signals): void;
}

/** Runs a command in a service's environment and, if asked to, again whenever its values change. */
export function runWithEnvironment(options: RunWithEnvironmentOptions): RunningCommand {
  const supervised = new SupervisedCommand(options);
  return { exited: supervised.run(), kill: (signal) => supervised.kill(signal) };
}

class SupervisedCommand {
  readonly #options: RunWithEnvironmentOptions;
  readonly #ended = Promise.withResolvers<CommandExit>();
  #child: ChildProcess | null = null;
  #environment: string | null = null;
  #next: ServiceEnvironment | null = null;
  #killing: Timer | null = null;
  #stopped = false;

  constructor(options: RunWithEnvironmentOptions) {
    this.#options = options;
  }

  async run(): Promise<CommandExit> {
    const onAbort = (): void => this.#stop();
    this.#options.signal?.addEventListener('abort', onAbort, { once: true });
    if (this.#options.signal?.aborted) onAbort();
    void this.#follow();
    return this.#ended.promise.finally(() => this.#options.signal?.removeEventListener('abort', onAbort));
  }

  kill(signal: NodeJS.Signals): void {
    // Who ends it does not want it started again, now or by a change that comes before it has ended.
    if (signal === 'SIGTERM') this.#stopped = true;
    if (['SIGTERM', 'SIGINT', 'SIGQUIT'].includes(signal)) this.#next = null;
    this.#child?.kill(signal);
  }

  async #follow(): Promise<void> {
    const iterator = this.#options.updates[Symbol.asyncIterator]();
    // Not awaited: a generator that waits for the next change answers only after it.
    void this.#ended.promise.catch(() => undefined).then(() => iterator.return?.());
    try {
      for await (const environment of { [Symbol.asyncIterator]: () => iterator }) {
        if (this.#stopped) return;
        this.#take(environment);
        if (this.#child !== null && !this.#options.restart) return;
      }
      if (this.#environment === null) throw new Error('the service never had a whole environment');
    } catch (error) {
      // A running command is not ended because nobody tells of changes any more.
      if (this.#environment === null) this.#ended.reject(error as Error);
    }
  }

  /** An environment with names missing never replaces a whole one. */
  #take(environment: ServiceEnvironment): void {
    if (!isWhole(environment)) return;
    const values = JSON.stringify(processEnvironment(environment));
    if (this.#environment === null) return this.#start(environment, values);
    if (values === this.#environment) {
      // Changed back before the old one ended: it still has to start again, with what is now.
      if (this.#next !== null) this.#next = environment;
      return;
    }
    this.#next = environment;
    this.#terminate();
  }

  #start(environment: ServiceEnvironment, values: string): void {
    const [program = '', ...args] = this.#options.command;
    this.#environment = values;
    this.#next = null;
    const child = spawn(program, args, {
      env: { ...this.#options.inherited, ...processEnvironment(environment) },
      stdio: this.#options.stdio ?? 'inherit',
      ...(this.#options.cwd !== undefined && { cwd: this.#options.cwd }),
    });
    this.#child = child;
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined) this.#end(error.code === 'ENOENT' ? 127 : 126, null);
    });
    child.once('exit', (code, signal) => this.#onExit(code, signal));
    if (child.pid !== undefined) this.#options.onStart?.(child.pid);
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    this.#killing?.cancel();
    this.#killing = null;
    const next = this.#next;
    if (next !== null && !this.#stopped) this.#start(next, JSON.stringify(processEnvironment(next)));
    else this.#end(code, signal);
  }

  #end(code: number | null, signal: NodeJS.Signals | null): void {
    this.#stopped = true;
    const exitCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    this.#ended.resolve({ exitCode, code, signal });
  }

  #stop(): void {
    this.#stopped = true;
    if (this.#child === null) this.#ended.reject(this.#options.signal?.reason as Error);
    else this.#terminate();
  }

  #terminate(): void {
    if (this.#killing !== null) return;
    this.#child?.kill('SIGTERM');
    const delayMs = this.#options.killAfterMs ?? 10_000;
    this.#killing = this.#options.clock.after(delayMs, () => void this.#child?.kill('SIGKILL'));
  }
}
