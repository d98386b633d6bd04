import { defineError } from '../../lib/index.ts';

export const configInvalid = defineError('CONFIG_INVALID', 400, (text: string) => text);
export const configConflict = defineError('CONFIG_CONFLICT', 400, (text: string) => text);
export const configUnreadable = defineError(
  'CONFIG_UNREADABLE',
  400,
  (path: string, why: string) => `cannot read ${path}: ${why}`,
  { hint: 'check that it exists and that this user may read it' },
);
export const configUntrusted = defineError(
  'CONFIG_UNTRUSTED',
  403,
  (what: string, file: string, why: string) => `${what} is not taken from ${file}: ${why}`,
);
export const badFlag = defineError(
  'CONFIG_BAD_FLAG',
  400,
  (flag: string, expected: string, found: string) => `${flag}: expected ${expected}, found ${found}`,
);
