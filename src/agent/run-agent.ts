import { readFile } from 'node:fs/promises';
import { messageOf } from '../lib/index.ts';
import { Agent } from './agent.ts';
import type { AgentFlags } from './config/config.ts';
import { loadConfig } from './config/load-config.ts';
import { openLog } from './log.ts';

/**
 * Runs an agent until the signal is aborted or it was told to leave; SIGHUP reads the configuration again. Prints where it
 * answers once it is ready.
 *
 * @throws what is wrong with the configuration, and what starting throws
 */
export async function runAgent(flags: AgentFlags, signal: AbortSignal): Promise<void> {
  const readConfig = (): ReturnType<typeof loadConfig> => loadConfig(flags);
  const config = await readConfig();
  const log = openLog(config.logLevel);
  const left = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => left.resolve(), { once: true });
  const version = await ownVersion();
  await using agent = await Agent.start({ config, version, log, readConfig, onLeave: () => left.resolve() });
  const reload = (): void => void agent.reload().catch((error: unknown) => log.error({ err: error }, messageOf(error)));
  process.on('SIGHUP', reload);
  log.info({ http: agent.httpAddress, dns: agent.dnsAddress, nodes: agent.nodes }, 'ready');
  await left.promise;
  process.off('SIGHUP', reload);
  log.info({}, 'stopping');
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
