const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/;

/**
 * Percent-decodes a part of a URL to raw bytes, one latin1 character each: what Node gives as a URL holds one character for
 * each byte that was sent. Undefined for a broken escape.
 */
export function decodeBytes(text: string): string | undefined {
  if (!text.includes('%')) return text;
  if (BROKEN_ESCAPE.test(text)) return undefined;
  return text.replaceAll(/%(..)/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Raw bytes as UTF-8 text; what is not UTF-8 becomes U+FFFD. */
export function textOfBytes(bytes: string): string {
  return isWithin(bytes, 0, LAST_ASCII) ? bytes : Buffer.from(bytes, 'latin1').toString('utf8');
}

/** Text as raw bytes, one latin1 character each. */
export function bytesOfText(text: string): string {
  return isWithin(text, 0, LAST_ASCII) ? text : Buffer.from(text).toString('latin1');
}

/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the plain space. */
const NOT_PRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** Whether a text has none of the characters that Consul refuses in a path. */
export function isPrintable(text: string): boolean {
  return isWithin(text, SPACE, TILDE) || !NOT_PRINTABLE.test(text);
}

const LAST_ASCII = 0x7f;
const SPACE = 0x20;
const TILDE = 0x7e;

/** On the way of every request, where a regular expression would cost more than all the rest. */
function isWithin(text: string, first: number, last: number): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < first || code > last) return false;
  }
  return true;
}
