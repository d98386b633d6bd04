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
export const txnTooLarge = defineError(
  'KV_TXN_TOO_LARGE',
  413,
  (writes: number, most: number) => `Transaction is too large: it needs ${writes} writes and compares, at most ${most}`,
  { hint: 'nothing was written; make it several transactions' },
);

// Consul's own texts: clients match them.
export const missingSession = defineError('KV_MISSING_SESSION', 500, () => 'missing session');
export const invalidSession = defineError(
  'KV_INVALID_SESSION',
  500,
  (id: string) => `invalid session ${JSON.stringify(id)}`,
  { hint: 'it has ended: create another' },
);
export const unknownSession = defineError('KV_UNKNOWN_SESSION', 404, (id: string) => `Session id '${id}' not found`);
export const sessionWithoutNode = defineError(
  'KV_SESSION_WITHOUT_NODE',
  500,
  (_node: string) => 'Missing node registration',
  { hint: 'register the node first' },
);
export const sessionWithoutCheck = defineError(
  'KV_SESSION_WITHOUT_CHECK',
  500,
  (check: string) => `Missing check '${check}' registration`,
  { hint: 'the node has no such check: register it, or create the session without it' },
);
export const sessionOfCritical = defineError(
  'KV_SESSION_OF_CRITICAL',
  500,
  (check: string) => `Check '${check}' is in critical state`,
  { hint: 'a session ends with its checks: mend what is checked first' },
);
export const badBehavior = defineError(
  'KV_BAD_BEHAVIOR',
  500,
  (behavior: string) => `Invalid Behavior setting '${behavior}'`,
  { hint: 'it is release or delete' },
);
export const badSessionTtl = defineError(
  'KV_BAD_SESSION_TTL',
  500,
  (ttl: string, why: string) => `Session TTL '${ttl}' invalid: ${why}`,
);
export const sessionTtlOutOfRange = defineError(
  'KV_SESSION_TTL_OUT_OF_RANGE',
  500,
  (ttlNs: number, least: string, most: string) => `Invalid Session TTL '${ttlNs}', must be between [${least}=${most}]`,
  { hint: 'session_ttl_min in the configuration lowers the least' },
);
