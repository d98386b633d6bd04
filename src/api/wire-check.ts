import { parseCheck, type CheckDefinition } from '../definition/index.ts';
import { DroverError, messageOf, parseDuration } from '../lib/index.ts';
import { badRequest } from './errors.ts';
import { foldedObject, type Folded } from './fields.ts';

const DURATIONS: readonly string[] = ['interval', 'timeout', 'ttl', 'deregistercriticalserviceafter'];
const STATUSES: readonly unknown[] = ['passing', 'warning', 'critical', ''];

/**
 * Reads a check as Consul's wire has it.
 *
 * @throws API_BAD_REQUEST `Request decode failed: …` for broken durations, `badStatus`, or `Invalid check: …`
 */
export function parseWireCheck(value: unknown, badStatus: string): CheckDefinition {
  const fields = foldedObject(value, 'check');
  for (const key of DURATIONS) checkDuration(fields, key);
  if (!STATUSES.includes(fields['status'] ?? '')) throw badRequest(badStatus);
  try {
    return parseCheck(value, { wire: true });
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    throw badRequest.with({ cause: error }, `Invalid check: ${error.message}`);
  }
}

/** Whether a check says nothing at all: Consul leaves it out, as clients send it for "none". */
export function isEmptyCheck(value: object): boolean {
  return Object.values(value).every(
    (one: unknown) =>
      [null, '', 0, false].includes(one as null) || (typeof one === 'object' && Object.keys(one ?? {}).length === 0),
  );
}

/** Clients know a broken duration by Go's own words. @throws API_BAD_REQUEST `Request decode failed: …` */
export function checkDuration(fields: Folded, key: string): void {
  const value = fields[key];
  if (typeof value !== 'string' || value === '') return;
  try {
    parseDuration(value);
  } catch (error) {
    throw badRequest(`Request decode failed: ${key}: ${messageOf(error)}`);
  }
}
