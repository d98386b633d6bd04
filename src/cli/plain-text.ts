// Controls (C0 and C1) but tab and newline, and marks that turn the direction of text.
const HIDDEN = /[^\P{Cc}\t\n]|[\u061C\u200E\u200F\u2028-\u202E\u2066-\u2069]/gu;

/** Text from elsewhere as a terminal may show it: what would move the cursor, colour, or turn text around is written out. */
export function plainText(text: string): string {
  return text.replace(HIDDEN, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
