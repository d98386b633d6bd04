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
