import type { DroverClient } from '../../../client/src/index.ts';
import type { Host } from '../host.ts';
import type { FlagKind, FlagValue } from './go-flags.ts';

/** What a command of Consul's is run with. */
export interface ConsulInvocation {
  readonly flags: ReadonlyMap<string, FlagValue>;
  readonly args: readonly string[];
  /** What goes with every request: `dc`, `stale`. */
  readonly query: Readonly<Record<string, string>>;
  readonly client: DroverClient;
  readonly host: Host;
}

/** One of Consul's commands, with its flags, texts and exit statuses. `run` throws what goes wrong. */
export interface ConsulCommand {
  /** `kv get [flags] KEY`. */
  readonly usage: string;
  readonly flags: Readonly<Record<string, FlagKind>>;
  run(invocation: ConsulInvocation): Promise<number>;
}

/** Whether a flag without a value is set. */
export function isSet({ flags }: ConsulInvocation, name: string): boolean {
  return flags.get(name) === true;
}
