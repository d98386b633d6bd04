/** A key's bytes, one latin1 character each, as rules speak of it: UTF-8; what is not becomes U+FFFD. */
export function keyText(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString();
}

/**
 * The same of what keys begin with, without a character that it breaks off within: `geheim` and the first byte of `é` is also
 * how keys begin that rules know as `geheimé`, so whoever asks for all of them asks for what is under `geheim`.
 */
export function keyPrefixText(bytes: string): string {
  return keyText(bytes.slice(0, bytes.length - brokenOff(bytes)));
}

const LEADS = [
  { from: 0xf0, length: 4 },
  { from: 0xe0, length: 3 },
  { from: 0xc0, length: 2 },
] as const;
const CONTINUES = 0x80;
const LONGEST = 4;

/** How many bytes at the end are the beginning of a character (RFC 3629). */
function brokenOff(bytes: string): number {
  for (let back = 1; back < LONGEST && back <= bytes.length; back++) {
    const byte = bytes.charCodeAt(bytes.length - back);
    if (byte < CONTINUES) return 0;
    const lead = LEADS.find(({ from }) => byte >= from);
    if (lead !== undefined) return lead.length > back ? back : 0;
  }
  return 0;
}
