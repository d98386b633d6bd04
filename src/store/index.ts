export * from './contract.ts';
export * from './errors.ts';
export { MemoryStore } from './memory/memory-store.ts';
export type { MemoryStoreOptions } from './memory/memory-store.ts';
