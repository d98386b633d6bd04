import { isLoopback } from '../../lib/index.ts';
import { configConflict } from './errors.ts';
import type { AgentConfig } from './config.ts';

/** What decides about it. */
export interface Exposed extends Pick<AgentConfig, 'scripts'> {
  readonly http: Pick<AgentConfig['http'], 'addresses' | 'port'>;
  /** Access control is on and denies what no rule allows. */
  readonly isClosed?: boolean;
}

/**
 * What an operator must hear about who can reach the agent. There is no TLS yet (design 13).
 *
 * @throws CONFIG_CONFLICT where the API would give a shell to whoever reaches it from elsewhere
 */
export function exposureOf({ http, scripts, isClosed = false }: Exposed): string[] {
  if (http.port < 0) return [];
  const open = http.addresses.filter((address) => !isLoopback(address)).join(', ');
  if (open === '') return scripts.remote && !isClosed ? [LOCAL_SHELL] : [];
  if (isClosed) return [`HTTP answers on ${open} without TLS: whoever can listen on the way reads tokens and secrets`];
  if (scripts.remote) {
    const hint = 'leave HTTP on 127.0.0.1, or put script checks into files and leave enable_script_checks out';
    throw configConflict.with(
      { hint },
      `enable_script_checks with HTTP on ${open} would let whoever reaches it run commands here`,
    );
  }
  return [
    `HTTP answers on ${open} without TLS and access control: whoever reaches it can change the region and read every secret`,
  ];
}

const LOCAL_SHELL = 'enable_script_checks lets every user of this machine run commands as the user of this agent';
