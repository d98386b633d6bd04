/** The end of an output of any length, kept in bounded memory. */
export class OutputTail {
  readonly #limit: number;
  #tail: Buffer = Buffer.alloc(0);
  #totalBytes = 0;

  /** @param limit how many bytes are kept. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** How many bytes were pushed in all. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  push(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - this.#limit));
    const before = this.#tail.subarray(Math.max(0, this.#tail.length + kept.length - this.#limit));
    this.#tail = Buffer.concat([before, kept]);
  }

  /** The last whole characters that fit into `maxBytes` of UTF-8; bytes that are not UTF-8 become U+FFFD. */
  text(maxBytes: number = this.#limit): string {
    const bytes = this.#tail.subarray(Math.max(0, this.#tail.length - maxBytes));
    const text = bytes.toString('utf8', this.#totalBytes > bytes.length ? startOfCharacter(bytes) : 0);
    // U+FFFD takes three bytes where the input had one.
    if (Buffer.byteLength(text) <= maxBytes) return text;
    return text.slice(text.length - Math.floor(maxBytes / 3)).toWellFormed();
  }
}

/** Where the first whole character begins: past at most three continuation bytes of the one that was cut. */
function startOfCharacter(bytes: Buffer): number {
  let start = 0;
  while (start < 3 && start < bytes.length && ((bytes[start] as number) & 0xc0) === 0x80) start++;
  return start;
}
