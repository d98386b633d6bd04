import type { Clock, Timing } from '../lib/index.ts';
import type { NodeLinkKeeperOptions } from './node-link-keeper.ts';
import type { InstanceRecord } from '../registry/index.ts';
import type { NodeConfig } from './config/config.ts';
import type { Log } from './log.ts';
import type { RegionTargets } from './node-targets.ts';

/** What a node gets from the agent that hosts it. */
export interface StartNodeOptions {
  readonly config: NodeConfig;
  readonly datacenter: string;
  readonly version: string;
  /** The node's own, 0700. */
  readonly stateDirectory: string;
  /** Whether registrations outlive the process. */
  readonly keepsRegistrations: boolean;
  readonly scripts: { readonly local: boolean; readonly remote: boolean };
  readonly connect: NodeLinkKeeperOptions['connect'];
  readonly isElsewhere?: NodeLinkKeeperOptions['isElsewhere'];
  readonly onLinked?: NodeLinkKeeperOptions['onLinked'];
  readonly onRefused?: NodeLinkKeeperOptions['onRefused'];
  readonly questions?: NodeLinkKeeperOptions['questions'];
  /** What aliases of instances elsewhere follow. */
  readonly elsewhere: RegionTargets;
  readonly ownInstances: readonly InstanceRecord[];
  readonly timing: Timing;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}
