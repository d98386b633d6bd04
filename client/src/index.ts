export * from './api-error.ts';
export * from './drover-client.ts';
export { readEventStream, type ServerSentEvent } from './event-stream.ts';
export type { Asked, Call, Changed, ClientOptions, Query } from './send-call.ts';
export type * from './wire.ts';
