import type { Clock } from '../lib/index.ts';

export type SignalName = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT' | 'SIGUSR1' | 'SIGUSR2' | 'SIGWINCH';

/** What the command line touches of the process and machine it runs on; tests give their own. */
export interface Host {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  /** Undefined: the runtime's own, which is loaded when it is first used. */
  readonly fetch: typeof fetch | undefined;
  /** Whether a person types (stdin) and reads (stdout). */
  readonly terminal: { readonly input: boolean; readonly output: boolean };
  stdout(content: string | Uint8Array): void;
  stderr(text: string): void;
  /** All of standard input. @throws RangeError beyond `mostBytes` */
  readInput(mostBytes: number): Promise<Buffer>;
  /** Runs the handler in place of what the signal does by itself, until the result is called. */
  onSignal(name: SignalName, handler: () => void): () => void;
  /** Asks a DNS server. @throws an error with c-ares' code: ENOTFOUND, ETIMEOUT, … */
  resolveName(server: string, name: string, type: string): Promise<unknown>;
}
