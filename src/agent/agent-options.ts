import type { Clock } from '../lib/index.ts';
import type { AgentConfig } from './config/config.ts';
import type { Log } from './log.ts';

/** What an agent is started with. */
export interface AgentOptions {
  readonly config: AgentConfig;
  readonly version: string;
  readonly log: Log;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Reads the configuration again, for a reload. */
  readonly readConfig?: () => Promise<AgentConfig>;
  /** Called when the API was told that the agent leaves; then `leave` and disposing are the caller's. */
  readonly onLeave?: () => void;
  /** Ends a start that waits for its store; what is started already is ended. */
  readonly signal?: AbortSignal;
  /** Called when the agent cannot go on and has to be started anew; disposing is the caller's. */
  readonly onFailed?: (error: Error) => void;
}
