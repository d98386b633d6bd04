import { defineError } from '../lib/index.ts';

export const valueTooLarge = defineError(
  'KV_VALUE_TOO_LARGE',
  413,
  (bytes: number, maxBytes: number) => `a value of ${bytes} bytes is too large, at most ${maxBytes}`,
  { hint: 'keep large things elsewhere and their address in the registry' },
);
export const badKey = defineError('KV_BAD_KEY', 400, (why: string) => `cannot use this key: ${why}`);
export const badFlags = defineError(
  'KV_BAD_FLAGS',
  400,
  (flags: string) => `flags "${flags.slice(0, 40)}" are not a whole number of 64 bits`,
  { hint: 'use a number from 0 to 18446744073709551615' },
);
