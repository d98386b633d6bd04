import { badRequest } from './errors.ts';

/**
 * Most octets of a name or id. The balancer names a member after its node and id, three characters for an octet that HAProxy
 * does not take in a name, and HAProxy reads lines of 2 KiB: one longer name would cost a node its whole balancer.
 */
export const MAX_NAME_OCTETS = 255;

/** Controls of ASCII and of C1: they end lines, move cursors and hide text wherever a name is shown. */
const CONTROL = /[\p{Cc}\u2028\u2029]/u;

/** A name, id or address as it was given. @throws API_BAD_REQUEST for one that is too long or holds control characters */
export function checkedName(text: string, what: string): string {
  if (Buffer.byteLength(text) > MAX_NAME_OCTETS) throw badRequest(`${what} has at most ${MAX_NAME_OCTETS} bytes`);
  if (CONTROL.test(text)) throw badRequest(`${what} holds a control character`);
  return text;
}
