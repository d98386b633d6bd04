import net from 'node:net';
import { startDeadline } from '../lib/index.ts';
import type { Clock } from '../lib/index.ts';
import { haproxySilent } from './errors.ts';
import { parseServersState } from './servers-state.ts';
import type { RuntimeServer } from './servers-state.ts';

/** A call that took longer is given up: the worker is stopped or overloaded (semantics 3). */
export const CALL_TIMEOUT_MS = 2_000;
/** HAProxy reads a line into one buffer of 16 KB. */
const LINE_BYTES = 8_000;
const ANSWER_BYTES = 16 * 1024 * 1024;

export interface RuntimeOptions {
  /** Path of a Unix socket: a worker's runtime API or the master's. */
  readonly socket: string;
  readonly clock: Clock;
  readonly timeoutMs?: number;
}

/** HAProxy's command line on a Unix socket (management guide 9.3): a connection a call, the answer ends with it. */
export class RuntimeClient {
  readonly socket: string;
  readonly #clock: Clock;
  readonly #timeoutMs: number;

  constructor(options: RuntimeOptions) {
    this.socket = options.socket;
    this.#clock = options.clock;
    this.#timeoutMs = options.timeoutMs ?? CALL_TIMEOUT_MS;
  }

  /** The answer to one line of commands. @throws BALANCER_HAPROXY_SILENT */
  call(line: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.socket);
      let answer = '';
      const finish = (failure: string | null): void => {
        timer.cancel();
        socket.destroy();
        if (failure === null) resolve(answer);
        else reject(haproxySilent(this.socket, failure));
      };
      const giveUp = (): void => finish(`no answer within ${this.#timeoutMs} ms`);
      const timer = startDeadline(this.#clock, this.#timeoutMs, giveUp);
      socket.setEncoding('utf8');
      // The master answers and then waits for more, unless it sees that there is none.
      socket.once('connect', () => socket.end(`${line}\n`));
      socket.on('data', (data: string) => {
        answer += data;
        if (answer.length > ANSWER_BYTES) finish('the answer is too long');
      });
      socket.once('end', () => finish(null));
      socket.once('error', (error) => finish(error.message));
    });
  }

  /** Runs commands in order, as many to a line as fit; resolves with the answers' texts. */
  async run(commands: readonly string[]): Promise<string> {
    const answers: string[] = [];
    for (const line of packLines(commands)) answers.push(await this.call(line));
    return answers.join('\n');
  }

  /** Runs commands and reads the servers after them: HAProxy answers when a command is done, so the state is right. */
  async servers(after: readonly string[] = []): Promise<RuntimeServer[]> {
    const lines = packLines([...after, 'show servers state']);
    for (const line of lines.slice(0, -1)) await this.call(line);
    const servers = parseServersState(await this.call(lines.at(-1) as string));
    if (servers === null) throw haproxySilent(this.socket, 'it says something else than the servers’ state');
    return servers;
  }

  /** The pid of the process that answers. */
  async pid(): Promise<number> {
    const pid = /^Pid: (\d+)$/m.exec(await this.call('show info'))?.[1];
    if (pid === undefined) throw haproxySilent(this.socket, 'it does not tell its pid');
    return Number(pid);
  }
}

/** Commands joined by `;` into lines that fit HAProxy's buffer. */
export function packLines(commands: readonly string[]): string[] {
  const lines: string[] = [];
  for (const command of commands) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + command.length < LINE_BYTES) lines[lines.length - 1] = `${last};${command}`;
    else lines.push(command);
  }
  return lines;
}
