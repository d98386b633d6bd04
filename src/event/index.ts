export { audienceOf, type EventAudience, type FilteredService } from './event-filter.ts';
export { EventFires } from './event-fires.ts';
export { EventLog, type EventLogOptions, KEPT_EVENTS } from './event-log.ts';
export * from './errors.ts';
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
