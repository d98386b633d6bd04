export * from './local-node.ts';
export * from './registration.ts';
export { withSidecarPort } from './sidecar.ts';
export * from './http-settings.ts';
export type { ApiContext } from './context.ts';
export type { ApiLog, LogLevel, LogLine } from './api-log.ts';
export { refuseTakenPort } from './refuse-taken-port.ts';
export { loadHttpApi } from './load-http-api.ts';
export type { HttpApi, HttpApiOptions } from './http-api.ts';
