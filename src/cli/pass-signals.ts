import type { Host, SignalName } from './host.ts';

const PASSED: readonly SignalName[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
/** What a terminal's keys, or its window, send to everything that runs in its foreground: the command has them already. */
const OF_TERMINALS: readonly SignalName[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH'];

/**
 * Gives the signals that this process gets to a command that it runs, and lives until that ends. Those of a terminal are
 * not given twice. The result undoes it.
 */
export function passSignals(host: Pick<Host, 'onSignal' | 'terminal'>, pass: (name: SignalName) => void): () => void {
  const ignore = (): void => undefined;
  const offs = [
    ...PASSED.map((name) => host.onSignal(name, () => pass(name))),
    ...OF_TERMINALS.map((name) => host.onSignal(name, host.terminal.input ? ignore : () => pass(name))),
  ];
  return () => {
    for (const off of offs) off();
  };
}
