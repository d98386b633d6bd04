export { MAX_TXN_OPS } from './check-txn.ts';
export * from './contract.ts';
export { Duties, type DutiesOptions } from './duties.ts';
export { Compaction, type CompactionOptions } from './compaction.ts';
export { ALWAYS_ON_DUTY, type Duty } from './duty.ts';
export { type Fence, fenceOf, UNFENCED } from './fence.ts';
export { LateStore, type LateStoreOptions } from './late-store.ts';
export { LeaseKeeper, type LeaseKeeperOptions } from './lease-keeper.ts';
export type { EtcdStore } from './etcd/etcd-store.ts';
export type { EtcdAccess, EtcdSettings } from './etcd/settings.ts';
export * from './errors.ts';
export { migrateStore, type MigrateOptions, type Migration } from './migrate-store.ts';
export * from './history-record.ts';
export * from './history-tree.ts';
export { MemoryStore } from './memory/memory-store.ts';
export type { MemoryStoreOptions } from './memory/memory-store.ts';
export {
  MAX_SNAPSHOT_BYTES,
  ofTheState,
  readSnapshot,
  restoreSnapshot,
  type Snapshot,
  type SnapshotMeta,
  takeSnapshot,
} from './snapshot.ts';
export { verifySnapshot } from './verify-snapshot.ts';
export { openStore } from './open-store.ts';
export type { OpenStoreOptions } from './open-store.ts';
export { SqliteStore } from './sqlite/sqlite-store.ts';
export type { SqliteStoreOptions } from './sqlite/sqlite-store.ts';
export { DirectoryLock } from './sqlite/directory-lock.ts';
