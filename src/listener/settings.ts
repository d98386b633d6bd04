import path from 'node:path';
import { lockFileOf } from '../lib/index.ts';
import { badListenerCommand } from './errors.ts';
import type { ForeignLock } from './foreign-lock.ts';
import { LISTENER_KINDS } from './kinds.ts';
import type { ListenerOptions } from './listener.ts';
import { PROVISION } from './provision.ts';
import type { ProvisionSettings } from './provision.ts';

/** An operator's options with the kind's defaults; an empty command when there is none. Throws LISTENER_BAD_COMMAND. */
export function settingsOf(options: ListenerOptions): ProvisionSettings {
  const { stateDirectory, env, timeLimitMs, clock, kind } = options;
  return {
    stateDirectory,
    runsDirectory: options.runsDirectory ?? path.join(stateDirectory, 'provisions'),
    env,
    timeLimitMs,
    clock,
    command: commandOf(options.command ?? LISTENER_KINDS[kind].command ?? []),
    cwd: options.cwd ?? '/',
    owner: options.owner ?? null,
    killAfterMs: options.killAfterMs ?? 10_000,
    success: LISTENER_KINDS[kind].success,
  };
}

/** The locks that a run waits for: its own, which a provision by hand takes as well, and those of other tools. */
export function locksOf(options: Pick<ListenerOptions, 'locks' | 'kind' | 'stateDirectory'>): readonly ForeignLock[] {
  const own: ForeignLock = { file: lockFileOf(options.stateDirectory, PROVISION), held: 'flock' };
  return [own, ...(options.locks ?? LISTENER_KINDS[options.kind].locks)];
}

function commandOf(command: string | readonly string[]): readonly string[] {
  if (typeof command !== 'string') {
    if (command[0] === '') throw badListenerCommand('the program is an empty string');
    return command;
  }
  if (command.trim() === '') throw badListenerCommand('it is empty');
  return ['/bin/sh', '-c', command];
}
