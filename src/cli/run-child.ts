import { spawn } from 'node:child_process';
import type { HandlerCall, HandlerResult } from '../event/index.ts';
import { type Clock, messageOf, signalGroup } from '../lib/index.ts';

export interface ChildOptions {
  /** Program and arguments. */
  readonly words: readonly string[];
  /** They are one line for `/bin/sh -c`. */
  readonly shell: boolean;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Runs a command with an input; it speaks to the terminal itself. Aborted, its group is told to end. Never rejects. */
export function runChild(call: HandlerCall, options: ChildOptions): Promise<HandlerResult> {
  const { words, shell, environment, clock, signal } = options;
  const startedMs = clock.now();
  const [program = '', ...args] = shell ? ['/bin/sh', '-c', words.join(' ')] : words;
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: { ...environment, ...call.variables, CONSUL_INDEX: call.index, DROVER_INDEX: call.index },
      stdio: ['pipe', 'inherit', 'inherit'],
      // A group of its own, so that what the command started ends with it.
      detached: true,
    });
    const end = (ok: boolean, ending: string): void => {
      signal.removeEventListener('abort', stop);
      resolve({ ok, ending, output: '', durationMs: clock.now() - startedMs });
    };
    const stop = (): void => void (child.pid === undefined || signalGroup(child.pid, 'SIGTERM'));
    signal.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => end(false, `not started: ${messageOf(error)}`));
    child.once('exit', (code, name) => end(code === 0, code === null ? `ended by ${name}` : `exit ${code}`));
    child.stdin?.on('error', () => undefined).end(call.input);
  });
}
