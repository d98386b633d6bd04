import { defineError } from '../lib/index.ts';

/** On `/v1` the message is the whole body, so it is Consul's own text, and so is the status. */
export const badEventFilter = defineError('EVENT_BAD_FILTER', 500, (text: string) => text);

export const badWatch = defineError('EVENT_BAD_WATCH', 400, (text: string) => text);

export const askFailed = defineError(
  'EVENT_ASK_FAILED',
  500,
  (path: string, why: string) => `the agent did not answer ${path}: ${why}`,
);
