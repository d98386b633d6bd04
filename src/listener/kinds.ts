import type { ForeignLock } from './foreign-lock.ts';

/** Which configuration management a provision command is. */
export type ListenerKind = 'chef' | 'puppet' | 'ansible' | 'command';

export interface KindDefaults {
  /** Run when the configuration names no command; null: it has to name one. */
  readonly command: readonly string[] | null;
  /** Exit codes of a run that did its work. */
  readonly success: readonly number[];
  /** Locks that the tool itself holds while it runs, also when somebody else started it. */
  readonly locks: readonly ForeignLock[];
}

/** What drover knows of each kind; an operator's own values go before these. */
export const LISTENER_KINDS: Readonly<Record<ListenerKind, KindDefaults>> = Object.freeze({
  chef: {
    command: ['chef-solo'],
    // Chef RFC 062: 35 and 37 say that the run was done and a reboot is scheduled or needed.
    success: [0, 35, 37],
    locks: [{ file: '/var/chef/cache/chef-client-running.pid', held: 'flock' }],
  },
  puppet: {
    command: ['puppet', 'agent', '--onetime', '--no-daemonize', '--no-splay', '--verbose'],
    // With --detailed-exitcodes 2 says that the run changed something.
    success: [0, 2],
    locks: [
      { file: '/opt/puppetlabs/puppet/cache/state/agent_catalog_run.lock', held: 'pid' },
      { file: '/var/cache/puppet/state/agent_catalog_run.lock', held: 'pid' },
    ],
  },
  ansible: { command: null, success: [0], locks: [] },
  command: { command: null, success: [0], locks: [] },
});

/** The locks of a kind, or the one that an operator named instead. */
export function foreignLocksOf(kind: ListenerKind, lockFile: string | null): readonly ForeignLock[] {
  if (lockFile === null) return LISTENER_KINDS[kind].locks;
  return [{ file: lockFile, held: LISTENER_KINDS[kind].locks[0]?.held ?? 'either' }];
}
