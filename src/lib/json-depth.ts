const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Whether lists and maps of a JSON text stand within each other more than `levels` deep; of a text that is not JSON no more
 * than a guess. It reads the text once and makes nothing: parsing a megabyte of brackets takes V8 most of a second, and what
 * takes the value apart later by recursion would run out of stack.
 */
export function nestsDeeper(text: string, levels: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = endOfString(text, at);
    // [ and { are 91 and 123, ] and } are 93 and 125.
    else if ((code === 91 || code === 123) && ++depth > levels) return true;
    else if (code === 93 || code === 125) depth--;
  }
  return false;
}

/** Where the quote is that ends a string; the end of the text where none does. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === BACKSLASH) at++;
    else if (code === QUOTE) return at;
  }
  return text.length;
}
