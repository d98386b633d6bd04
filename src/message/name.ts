import { badName } from './errors.ts';

/** A name's labels from left to right without the root; each character (U+0000 to U+00FF) is one octet. */
export type Labels = readonly string[];

export const MAX_LABEL_OCTETS = 63;
export const MAX_NAME_OCTETS = 255;

const PLAIN = /^[\x21-\x5b\x5d-\x7e]*$/;

/** Text as octets, one character each: `é` becomes `Ã©`, its two octets in UTF-8. */
export function octetsOf(text: string): string {
  return PLAIN.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** The text that octets spell in UTF-8; octets that are no UTF-8 become U+FFFD. */
export function textOf(octets: string): string {
  return PLAIN.test(octets) ? octets : Buffer.from(octets, 'latin1').toString('utf8');
}

/**
 * The labels of a name in presentation form (RFC 1035 5.1): `\.` is a dot inside a label, `\\` a backslash, `\065` the
 * octet 65; characters above U+007F stand for their UTF-8. The last dot may be left out; `.` is the root.
 *
 * @throws MESSAGE_BAD_NAME
 */
export function parseName(text: string): string[] {
  if (text === '.') return [];
  const labels = PLAIN.test(text) ? plainLabels(text) : escapedLabels(text);
  const why = whyNoName(labels);
  if (why !== null) throw badName(text, why);
  return labels;
}

function plainLabels(text: string): string[] {
  return (text.endsWith('.') ? text.slice(0, -1) : text).split('.');
}

function escapedLabels(text: string): string[] {
  const octets = octetsOf(text);
  const labels: string[] = [];
  let label = '';
  for (let at = 0; at < octets.length; at++) {
    if (octets[at] === '\\') {
      const [octet, length] = unescape(text, octets.slice(at + 1, at + 4));
      label += octet;
      at += length;
    } else if (octets[at] === '.') {
      labels.push(label);
      label = '';
      if (at === octets.length - 1) return labels;
    } else label += octets[at];
  }
  labels.push(label);
  return labels;
}

/** The octet that an escape stands for, and how many characters after the backslash it took. */
function unescape(name: string, rest: string): [octet: string, length: number] {
  if (rest === '') throw badName(name, 'it ends in a backslash');
  if (!/^\d/.test(rest)) return [rest[0] as string, 1];
  const code = /^\d{3}$/.test(rest) ? Number(rest) : 256;
  if (code > 255) throw badName(name, `\\${rest} is no octet`);
  return [String.fromCharCode(code), 3];
}

/** Why labels do not make a name, or null when they do. */
export function whyNoName(labels: Labels): string | null {
  if (labels.some((label) => label === '')) return 'a label is empty';
  if (labels.some((label) => label.length > MAX_LABEL_OCTETS))
    return `a label is longer than ${MAX_LABEL_OCTETS} octets`;
  return nameOctets(labels) > MAX_NAME_OCTETS ? `it is longer than ${MAX_NAME_OCTETS} octets` : null;
}

/** How many octets a name takes on the wire without compression, the root's zero included. */
export function nameOctets(labels: Labels): number {
  let octets = 1;
  for (const label of labels) octets += 1 + label.length;
  return octets;
}

/** A name in presentation form, with its last dot: the inverse of {@link parseName}. */
export function formatName(labels: Labels): string {
  return labels.length === 0 ? '.' : `${labels.map(formatLabel).join('.')}.`;
}

/** One label in presentation form, so that it can be put into a name: a dot inside becomes `\.`. */
export function formatLabel(octets: string): string {
  if (/^[\w-]*$/.test(octets)) return octets;
  return octets.replaceAll(/[^\x21-\x7e]|[\\.";()@$]/g, (char) =>
    char >= '\x21' && char <= '\x7e' ? `\\${char}` : `\\${String(char.charCodeAt(0)).padStart(3, '0')}`,
  );
}

/** ASCII letters in lower case and everything else as it is: how names compare (RFC 4343). */
export function foldCase(octets: string): string {
  return octets.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
