export * from './errors.ts';
export { foreignHolder } from './foreign-lock.ts';
export type { ForeignLock } from './foreign-lock.ts';
export { foreignLocksOf, LISTENER_KINDS } from './kinds.ts';
export type { KindDefaults, ListenerKind } from './kinds.ts';
export { Listener } from './listener.ts';
export type { ListenerOptions } from './listener.ts';
export type { ProvisionRun } from './state.ts';
export type { ListenerStatus } from './status.ts';
