import type { CheckDefinition } from '../definition/index.ts';
import type { Clock, RunProcess } from '../lib/index.ts';
import { networkTimeoutOf } from './http2-session.ts';
import { scriptProbe } from './script-probe.ts';
import type { Probe } from './verdict.ts';

/** A probe that asks systemd whether a unit is active. Consul has it for Windows alone. */
export function osServiceProbe(
  definition: CheckDefinition,
  options: { readonly run: RunProcess; readonly env: Readonly<Record<string, string>>; readonly clock: Clock },
): Probe {
  const { osService = '' } = definition;
  const args = ['systemctl', 'is-active', '--', osService];
  const ask = scriptProbe({ ...definition, args, timeoutMs: networkTimeoutOf(definition) }, options);
  return async (signal) => {
    const { status, output, ...rest } = await ask(signal);
    // systemctl's other exit statuses are degrees of "not active".
    const verdict = status === 'warning' ? 'critical' : status;
    return { ...rest, status: verdict, output: `OS service ${osService}: ${output.trimEnd()}` };
  };
}
