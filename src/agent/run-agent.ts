import { readFile } from 'node:fs/promises';
import { messageOf } from '../lib/index.ts';
import { Agent } from './agent.ts';
import type { AgentConfig, AgentFlags } from './config/config.ts';
import { loadConfig } from './config/load-config.ts';
import { openLog, type Log } from './log.ts';
import { PidFile } from './pid-file.ts';

/** Consul's tools expect an agent to be gone 10 s after it was told. */
const STOP_LIMIT_MS = 9_000;

/** Why an agent is told to stop: the reason of its signal. */
export type StopSignal = 'SIGINT' | 'SIGTERM';

/**
 * Runs an agent until the signal is aborted or it was told to leave; SIGHUP reads the configuration again. Writes a line
 * `ready` with where it answers to its log.
 *
 * @throws what is wrong with the configuration, and what starting throws
 */
export async function runAgent(flags: AgentFlags, signal: AbortSignal): Promise<void> {
  const started = Promise.withResolvers<{ readonly agent: Agent; readonly log: Log }>();
  started.promise.catch(() => undefined);
  // From the first moment on: without a handler SIGHUP would end the process.
  const reload = (): void => {
    started.promise.then(
      ({ agent, log }) => agent.reload().catch((error: unknown) => log.error({ err: error }, messageOf(error))),
      () => undefined,
    );
  };
  process.on('SIGHUP', reload);
  try {
    await run(flags, signal, (agent, log) => started.resolve({ agent, log }));
  } finally {
    process.off('SIGHUP', reload);
  }
}

async function run(flags: AgentFlags, signal: AbortSignal, onStarted: (agent: Agent, log: Log) => void): Promise<void> {
  const config = await loadConfig(flags);
  let current = config;
  const log = openLog(config.logLevel);
  const ended = Promise.withResolvers<'stop' | 'leave'>();
  ended.promise.catch(() => undefined);
  signal.addEventListener('abort', () => ended.resolve(leavesAt(current, signal.reason) ? 'leave' : 'stop'), {
    once: true,
  });
  if (signal.aborted) return;
  const pidFile = await PidFile.write(config.pidFile);
  try {
    const readConfig = async (): ReturnType<typeof loadConfig> => {
      const next = await loadConfig(flags);
      log.level = next.logLevel;
      current = next;
      return next;
    };
    const onLeave = (): void => ended.resolve('leave');
    const onFailed = (error: Error): void => ended.reject(error);
    const version = await ownVersion();
    const starting = Agent.start({ config, version, log, readConfig, onLeave, onFailed, signal });
    await using agent = await starting.catch(unlessAborted(signal));
    if (agent === null) return;
    onStarted(agent, log);
    log.info({ http: agent.httpAddress, dns: agent.dnsAddress, nodes: agent.nodes }, 'ready');
    const why = await ended.promise.finally(() =>
      limitStop(() => log.error({}, `stopping took longer than ${STOP_LIMIT_MS / 1_000} s: ended`)),
    );
    log.info({}, why === 'leave' ? 'leaving' : 'stopping');
    if (why === 'leave') await agent.leave();
  } finally {
    await pidFile[Symbol.asyncDispose]();
  }
}

/** Null for what was ended while it started. @throws what it was given otherwise */
function unlessAborted(signal: AbortSignal): (error: unknown) => null {
  return (error) => {
    if (signal.aborted && error === signal.reason) return null;
    throw error;
  };
}

function leavesAt({ leaveOnInterrupt, leaveOnTerminate }: AgentConfig, reason: unknown): boolean {
  return (reason satisfies unknown as StopSignal) === 'SIGINT' ? leaveOnInterrupt : leaveOnTerminate;
}

/** A part that hangs does not keep the process; the timer does not either. */
function limitStop(report: () => void): void {
  setTimeout(() => {
    report();
    process.exit(1);
  }, STOP_LIMIT_MS).unref();
}

async function ownVersion(): Promise<string> {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
