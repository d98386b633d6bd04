import { z } from 'zod';
import type { ChangeEvent } from '../../../change/index.ts';
import type { Revision } from '../../../store/index.ts';
import { NO_BODY } from '../body.ts';
import { NONE, wholeNumber } from '../parameters.ts';
import { OPERATOR_READ } from '../needs.ts';
import { route, type Route, type ServerEvent } from '../route.ts';
import { eventSchema } from '../schemas.ts';

const stream = route({
  method: 'GET',
  path: '/v2/events',
  needs: OPERATOR_READ,
  summary: 'What happens to changes, as server-sent events; begins after a revision, or with what comes.',
  params: NONE,
  query: z.strictObject({ after: wholeNumber('Begin with what came after this revision.').optional() }),
  headers: z.object({
    'last-event-id': wholeNumber('Where a reader that comes back goes on; goes before `after`.').optional(),
  }),
  body: NO_BODY,
  answer: eventSchema,
  streams: true,
  handle({ query, headers, caller, signal }, { changes }) {
    const after = headers['last-event-id'] ?? query.after;
    const events = toServerEvents(changes.events(after, signal), after ?? changes.revision);
    return { events: whileAllowed(events, () => caller.stillMay(...OPERATOR_READ)) };
  },
});

/** Changes and their receipts as they happen. */
export const eventRoutes: readonly Route[] = [stream];

/**
 * Events with the id at which a reader goes on: the newest revision it has been told of. A receipt is often for an older
 * one; its own revision as id would have the reader be told everything since again.
 */
export async function* toServerEvents(
  events: AsyncIterable<ChangeEvent>,
  after: Revision,
): AsyncGenerator<ServerEvent, void> {
  let id = after;
  for await (const event of events) {
    const revision = revisionOf(event);
    if (event.type === 'change' || event.type === 'gap') id = Math.max(id, revision);
    yield { id, event: event.type, data: { revision, ...event } };
  }
}

/** Ends with the right to hear them: a token can end, or come to mean less, while its bearer reads. */
async function* whileAllowed<T>(events: AsyncIterable<T>, isAllowed: () => boolean): AsyncGenerator<T, void> {
  for await (const event of events) {
    if (!isAllowed()) return;
    yield event;
  }
}

function revisionOf(event: ChangeEvent): Revision {
  if (event.type === 'receipt') return event.receipt.revision;
  return event.type === 'gap' ? event.before - 1 : event.revision;
}
