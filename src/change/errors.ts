import { defineError } from '../lib/index.ts';

export const unknownRevision = defineError(
  'CHANGE_UNKNOWN_REVISION',
  404,
  (revision: number, oldest: number, newest: number) =>
    `nothing is known of revision ${revision}: this server knows ${oldest} to ${newest}`,
  { hint: 'traces are kept for an hour and since the server started; drover trace without a number lists them' },
);
export const slowReader = defineError(
  'CHANGE_SLOW_READER',
  503,
  (limit: number) => `more than ${limit} events wait for this reader`,
  { hint: 'connect again with the last revision you saw' },
);
export const unknownChange = defineError(
  'CHANGE_UNKNOWN_CHANGE',
  404,
  (kind: string, revision: number) => `history has no change of ${kind} at r${revision}`,
  { hint: 'drover kv:log or service:log shows the revisions there are; what is too old is let go' },
);
export const superseded = defineError(
  'CHANGE_SUPERSEDED',
  409,
  (what: string, left: number, now: number) =>
    `${what} was changed since: the change left it at r${left}, ${now === 0 ? 'now it is gone' : `now it is at r${now}`}`,
  { hint: 'nothing was written; --force undoes it all the same' },
);
export const notUndoable = defineError('CHANGE_NOT_UNDOABLE', 409, (why: string) => `it cannot be undone: ${why}`);
