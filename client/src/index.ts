export * from './api-error.ts';
export * from './drover-client.ts';
export type * from './wire.ts';
