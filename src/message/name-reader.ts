import { malformedMessage } from './errors.ts';
import { MAX_NAME_OCTETS } from './name.ts';

/**
 * Reads a name from a message, following compression pointers. Each pointer must lead to before the place that it was
 * found in, and the name must stay within 255 octets, so that no message can make this loop or grow.
 *
 * @returns the labels and the offset after the name where it stands
 * @throws MESSAGE_MALFORMED
 */
export function readName(message: Uint8Array, offset: number): { labels: string[]; end: number } {
  const labels: string[] = [];
  let at = offset;
  let floor = offset;
  let end = -1;
  let octets = 1;
  for (;;) {
    const length = message[at];
    if (length === undefined) throw malformedMessage('a name runs over the end', at);
    if (length === 0) return { labels, end: end === -1 ? at + 1 : end };
    if (length >= 0xc0) {
      const low = message[at + 1];
      if (low === undefined) throw malformedMessage('a compression pointer runs over the end', at);
      if (end === -1) end = at + 2;
      at = ((length & 0x3f) << 8) | low;
      if (at >= floor) throw malformedMessage('a compression pointer does not lead backwards', at);
      floor = at;
      continue;
    }
    if (length > 63) throw malformedMessage('a label of an unknown kind', at);
    octets += 1 + length;
    if (octets > MAX_NAME_OCTETS) throw malformedMessage('a name longer than 255 octets', at);
    if (at + 1 + length > message.length) throw malformedMessage('a label runs over the end', at);
    labels.push(readOctets(message, at + 1, at + 1 + length));
    at += 1 + length;
  }
}

function readOctets(message: Uint8Array, start: number, end: number): string {
  let octets = '';
  for (let at = start; at < end; at++) octets += String.fromCharCode(message[at] as number);
  return octets;
}
