export type { ApiAnswer, Ask } from './ask.ts';
export { contentOf } from './decide-run.ts';
export { audienceOf, type EventAudience, type FilteredService } from './event-filter.ts';
export { EventFires } from './event-fires.ts';
export { EventLog, type EventLogOptions, KEPT_EVENTS } from './event-log.ts';
export { type EventNode, SeenEvents } from './seen-events.ts';
export { userEvents, type UserEvents } from './user-events.ts';
export {
  eventIndex,
  type EventToFire,
  type FiredEvent,
  type UserEvent,
  type WireEvent,
  wireEvent,
} from './user-event.ts';
export * from './errors.ts';
export { HandedOver, type HandedOverOptions } from './handed-over.ts';
export {
  type HandlerCall,
  type HandlerDefinition,
  type HandlerResult,
  type RunHandler,
  showHandler,
} from './handler.ts';
export { type HandlerConfig, NodeHandlers, type NodeHandlersOptions } from './node-handlers.ts';
export { expectSchema, onDownSchema, onUpSchema, reactionSchema, toReaction } from './reaction-schema.ts';
export { type ReactionDefinition } from './reaction.ts';
export { handlerRunner } from './run-handler.ts';
export { RunTally, type TallyLog } from './run-tally.ts';
export { unsavedWatch } from './saved-watch.ts';
export { type EventTold, WatchLoop } from './watch-loop.ts';
export { httpHandlerSchema, toQuery, toWatch, type WatchInput, watchQuerySchema, watchSchema } from './watch-schema.ts';
export { WATCH_TYPES, type WatchDefinition, type WatchQuery } from './watch.ts';
export { type Replayed, replayReaction } from './replay-reaction.ts';
export { replayWatch } from './replay-watch.ts';
