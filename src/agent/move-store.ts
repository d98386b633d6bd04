import { migrateStore, type Migration } from '../store/index.ts';
import { loadConfig } from './config/load-config.ts';

/** What is moved where, in the words of the command line. */
export interface MoveStoreOptions {
  readonly from: string;
  readonly to: string;
  /** What is in the target goes. */
  readonly mayReplace: boolean;
  /** Only looks whether it could be done. */
  readonly isDryRun: boolean;
  /** Configuration of the agent: its `etcd` says how etcd is spoken to. */
  readonly configFile?: readonly string[];
  readonly configDir?: readonly string[];
}

/**
 * Moves a region's state from one store to another, with etcd spoken to as the agent does.
 *
 * @throws CONFIG_…, and what `migrateStore` throws
 */
export async function moveStore(options: MoveStoreOptions): Promise<Migration> {
  const { from, to, mayReplace, isDryRun, configFile = [], configDir = [] } = options;
  const isConfigured = configFile.length + configDir.length > 0;
  const etcd = isConfigured ? (await loadConfig({ configFile, configDir })).etcd : undefined;
  return migrateStore({ from, to, mayReplace, isDryRun, store: { etcd } });
}

export type { Migration };
