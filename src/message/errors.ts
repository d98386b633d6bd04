import { defineError } from '../lib/index.ts';

export const badName = defineError(
  'MESSAGE_BAD_NAME',
  400,
  (name: string, why: string) => `${JSON.stringify(name)} is no domain name: ${why}`,
  { hint: 'labels have 1 to 63 octets, a name at most 255; write a dot inside a label as \\.' },
);
export const malformedMessage = defineError(
  'MESSAGE_MALFORMED',
  400,
  (why: string, offset: number) => `the DNS message is malformed at octet ${offset}: ${why}`,
);
export const messageTooLong = defineError(
  'MESSAGE_TOO_LONG',
  400,
  (limit: number) => `the DNS message does not fit into ${limit} octets`,
);
export const badRecord = defineError(
  'MESSAGE_BAD_RECORD',
  400,
  (type: string, why: string) => `the ${type} record cannot be written: ${why}`,
);
