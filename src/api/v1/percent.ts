const BROKEN_ESCAPE = /%(?![0-9a-fA-F]{2})/;
const NOT_ASCII = /[\u0080-\uffff]/;
const NOT_BYTES = /[\u0100-\uffff]/;

/**
 * Percent-decodes a part of a URL to raw bytes, one latin1 character each. What Node gives as a URL holds one character for
 * each byte that was sent. Undefined for a broken escape.
 */
export function decodeBytes(text: string): string | undefined {
  const raw = NOT_BYTES.test(text) ? Buffer.from(text).toString('latin1') : text;
  if (!raw.includes('%')) return raw;
  if (BROKEN_ESCAPE.test(raw)) return undefined;
  return raw.replaceAll(/%(..)/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Raw bytes as UTF-8 text; what is not UTF-8 becomes U+FFFD. */
export function textOfBytes(bytes: string): string {
  return NOT_ASCII.test(bytes) ? Buffer.from(bytes, 'latin1').toString('utf8') : bytes;
}

/** Text as raw bytes, one latin1 character each. */
export function bytesOfText(text: string): string {
  return NOT_ASCII.test(text) ? Buffer.from(text).toString('latin1') : text;
}

/** What Go calls printable: letters, marks, numbers, punctuation, symbols and the plain space. */
const NOT_PRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u;

/** Whether a text has none of the characters that Consul refuses in a path. */
export function isPrintable(text: string): boolean {
  return !NOT_PRINTABLE.test(text);
}
